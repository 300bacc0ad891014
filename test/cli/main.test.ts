import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { CommandIo } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/command-table.js';
import { daemonMain } from '../../src/cli/daemon/main.js';
import { main } from '../../src/cli/main.js';

const ROOT = new URL('../../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));

describe('wiretype', () => {
  it('tells its version', async () => {
    assert.deepEqual(await run(main, '--version'), { status: 0, out: `wiretype ${version}\n`, err: '' });
  });

  it('lists every command with a summary, and explains each', async () => {
    const { status, out } = await run(main, '--help');
    assert.equal(status, 0);
    for (const { name, summary } of COMMANDS) {
      assert.ok(out.includes(name) && out.includes(summary), name);
      const help = await run(main, name, '--help');
      assert.equal(help.status, 0, name);
      assert.match(help.out, new RegExp(`^Usage: .*${name}`), name);
      assert.deepEqual(await run(main, 'help', name), help);
    }
  });

  it('takes what follows "--" for words', async () => {
    const { status, out } = await run(main, 'genkey', '--', '--help');
    assert.deepEqual([status, out], [2, '']);
  });

  it('ends with 2 and the list when no command is named', async () => {
    const { status, out, err } = await run(main);

    assert.deepEqual([status, out], [2, '']);
    assert.match(err, /Commands:/);
  });

  for (const [argv, closest] of [
    [['ad-peer'], 'add-peer'],
    [['upp'], 'up'],
    [['Show'], 'show'],
    [['help', 'wach'], 'watch'],
    [['--nonsense'], undefined],
    [['\u001b[2J'], undefined],
  ] as const)
    it(`ends with 2 and two lines when there is no such command: ${JSON.stringify(argv)}`, async () => {
      const { status, out, err } = await run(main, ...argv);

      assert.deepEqual([status, out], [2, '']);
      assert.equal(err.split('\n').length, 3);
      assert.equal(/Did you mean (.*)\?/.exec(err)?.[1], closest);
      assert.match(err, /wiretype --help/);
      assert.ok(!err.includes('\u001b'));
    });

  it('offers the option that was probably meant', async () => {
    assert.match((await run(main, 'check', '--jsn', 'wg0')).err, /there is no option --jsn: did you mean --json\?/);
    assert.match((await run(main, 'check', '--zzzzzz', 'wg0')).err, /there is no option --zzzzzz \(/);
  });

  it('takes options of services from the environment, and names the variable where one is wrong', async () => {
    process.env['WIRETYPE_LISTEN'] = 'nowhere';
    try {
      const { status, err } = await run(main, 'carry', 'ws://192.0.2.1/carry');
      assert.equal(status, 1);
      assert.match(err, /^wiretype carry: WIRETYPE_LISTEN: a port is expected/);
      assert.match((await run(main, 'watch', '--listen', 'x')).err, /there is no option --listen/);
    } finally {
      delete process.env['WIRETYPE_LISTEN'];
    }
  });

  it('prints its version for -v, too', async () => {
    for (const option of ['-v', '-V']) assert.deepEqual(await run(main, option), await run(main, '--version'));
  });
});

describe('wiretyped', () => {
  it('tells its version, and how it is called', async () => {
    assert.deepEqual(await run(daemonMain, '--version'), { status: 0, out: `wiretyped ${version}\n`, err: '' });
    const { status, out } = await run(daemonMain, '--help');
    assert.equal(status, 0);
    assert.match(out, /^Usage: wiretyped/);
  });

  it('ends with 2 when it is called in the wrong way, with 1 when the name cannot be', async () => {
    for (const argv of [[], ['a', 'b'], ['-x', 'wg0']]) assert.equal((await run(daemonMain, ...argv)).status, 2);
    const { status, err } = await run(daemonMain, 'much-too-long-for-a-name');
    assert.equal(status, 1);
    assert.match(err, /^wiretyped: .*\(ERR_INTERFACE_NAME\)\n.+\n$/);
  });
});

type Program = (argv: readonly string[], io: CommandIo) => Promise<number>;

async function run(program: Program, ...argv: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const status = await program(argv, {
    readInput: async () => '',
    write: (text) => {
      out += text;
    },
    writeError: (text) => {
      err += text;
    },
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  });
  return { status, out, err };
}
