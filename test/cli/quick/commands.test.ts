import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';

import { main } from '../../../src/cli/main.js';
import type { OptionManuals } from '../../../src/cli/manual.js';
import { parseCommandArguments } from '../../../src/cli/quick/commands/command-arguments.js';
import { quickMain } from '../../../src/cli/quick/quick-main.js';
import { WireGuardError } from '../../../src/core/errors.js';
import { assertFitsSchema } from '../device/check-schema.js';

describe('check', () => {
  it('shows findings with their lines, and ends with 1 for errors and 0 for warnings', async (t) => {
    const file = fileWith(t, '[Interface]\nListenPort = 99999\nPostUp = wg set %i private-key /run/key\n');

    const { status, out, err } = await run('check', file);

    assert.deepEqual([status, err], [1, '']);
    assert.match(
      out,
      new RegExp(`^${file}:2:14: ListenPort: a port is a number.*\n +2 \\| ListenPort = 99999\n +\\| +\\^{5}`, 'm'),
    );
    assert.match(out, /wg0\.conf: 1 error, no warnings\n$/);
    const harmless = fileWith(t, '[Interface]\nPostUp = wg set %i private-key /run/key\nMTU = 1000\n');
    assert.equal((await run('check', harmless)).status, 0);
  });

  it('prints JSON that fits its schema', async (t) => {
    for (const text of ['', '[Interface]\nMTU = 5\nBad\n[Peer]\n', '[Interface]\nPostUp = private-key\n']) {
      const { out } = await run('check', '--json', fileWith(t, text, 0o644));
      assertFitsSchema(JSON.parse(out), 'check.json');
    }
  });
});

describe('commands about one interface', () => {
  it('say what is wrong with their arguments', async () => {
    for (const [args, why] of [
      [['up'], /the interface or its file is missing/],
      [['down', 'a', 'b'], /"b" is one argument too many/],
      [['down', '--implementation', 'x', 'wg0'], /there is no option --implementation/],
      [['up', '--implementation'], /argument missing/],
      [['reload', '--dry-run=7', 'wg0'], /does not take an argument/],
      [['check', '--strict', 'wg0'], /there is no option --strict/],
      [['reresolve'], /is missing/],
    ] as const) {
      const { status, err } = await run(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(err, why);
    }
  });

  it('explain themselves', async () => {
    for (const command of ['up', 'down', 'save', 'strip', 'reload', 'check', 'reresolve']) {
      const { status, out } = await run(command, '--help');
      assert.equal(status, 0);
      assert.match(out, new RegExp(`^Usage: wiretype ${command} `));
      assert.match(out, new RegExp(`^ {2}(wg syncconf wg0 <\\()?wiretype ${command} `, 'm'), 'an example');
      assert.ok(out.split('\n').every((line) => line.length <= 120));
    }
  });

  it('read any words, or call them a wrong use', () => {
    const options: OptionManuals = {
      'dry-run': { type: 'boolean', about: '' },
      implementation: { type: 'string', value: 'PROGRAM', about: '' },
    };
    const word = fc.oneof(fc.constantFrom('--dry-run', '--implementation', '--', '-', '-x', 'wg0', ''), fc.string());
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (words) => {
        try {
          const { target, flags } = parseCommandArguments(words, options);
          assert.ok(words.includes(target) && flags.size <= 1);
        } catch (error) {
          assert.ok(error instanceof WireGuardError && error.code === 'ERR_USAGE', String(error));
        }
      }),
    );
  });

  it('say where a file is missing', async () => {
    const { status, err } = await run('check', 'no-such-wg');
    assert.equal(status, 1);
    assert.match(err, /`\/etc\/wireguard\/no-such-wg\.conf' does not exist \(ERR_CONFIG_FILE\)/);
  });
});

describe('quickMain', () => {
  it('shows how it is called, with status 0 if asked and 1 if not', async () => {
    for (const [argv, expected] of [
      [['--help'], 0],
      [['-h'], 0],
      [['help'], 0],
      [[], 1],
      [['up'], 1],
      [['up', 'a', 'b'], 1],
      [['help', 'up'], 1],
      [['--implementation'], 1],
      [['--implementation', 'x', 'up'], 1],
    ] as const) {
      const err: string[] = [];
      const io = {
        write: () => assert.fail('nothing goes to standard output'),
        writeError: (text: string) => void err.push(text),
      };
      assert.equal(await quickMain(argv, io), expected, argv.join(' '));
      assert.match(err.join(''), /^Usage: wg-quick /);
    }
  });
});

async function run(...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await main(argv, {
    readInput: async () => '',
    write: (text) => void out.push(text),
    writeError: (text) => void err.push(text),
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  });
  return { status, out: out.join(''), err: err.join('') };
}

function fileWith(t: Pick<TestContext, 'after'>, text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'wg0.conf');
  writeFileSync(file, text, { mode });
  return file;
}
