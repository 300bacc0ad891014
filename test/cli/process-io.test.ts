import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../bin', import.meta.url));

describe('a program whose output goes nowhere', () => {
  let directory: string;
  let programs: Readonly<Record<string, string>>;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-output-'));
    for (const name of ['wg', 'wg-quick']) symlinkSync(join(BIN, 'wiretype'), join(directory, name));
    programs = {
      wiretype: join(BIN, 'wiretype'),
      wiretyped: join(BIN, 'wiretyped'),
      wg: join(directory, 'wg'),
      'wg-quick': join(directory, 'wg-quick'),
    };
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const [name, ...args] of [
    ['wiretype', '--help'],
    ['wiretype', 'genkey'],
    ['wiretype', 'help', 'up'],
    ['wiretyped', '--help'],
    ['wg', '--help'],
    ['wg', 'genpsk'],
  ] as const) {
    it(`ends in silence, status 141, when nobody reads: ${name} ${args.join(' ')}`, async () => {
      const { status, error } = await runWithoutReader(programs[name]!, args, 'stdout');

      assert.deepEqual({ status, error }, { status: 141, error: '' });
    });
  }

  for (const name of ['wiretype', 'wg', 'wg-quick']) {
    it(`keeps its own status when nobody reads standard error: ${name}`, async () => {
      const read = spawnSync(programs[name]!, ['no-such-command'], { encoding: 'utf8' });

      const { status } = await runWithoutReader(programs[name]!, ['no-such-command'], 'stderr');

      assert.notEqual(read.stderr, '');
      assert.equal(status, read.status);
    });
  }

  for (const [name, ...args] of [
    ['wiretype', '--help'],
    ['wiretype', 'genkey'],
    ['wiretyped', '--help'],
  ] as const) {
    it(`writes one line, status 1, when the disk is full: ${name} ${args.join(' ')}`, () => {
      const { status, stderr } = runFull(programs[name]!, args);

      assert.equal(stderr, `${name}: standard output cannot be written: no space left on device\n`);
      assert.equal(status, 1);
    });
  }

  describe('and that would hand out a key', () => {
    const SERVER = `[Interface]
# ClientEndpoint = vpn.example.net:51820
Address = 10.9.0.1/24
PrivateKey = ${Buffer.alloc(32, 0x48).toString('base64')}
`;
    let file: string;
    before(() => {
      file = join(directory, 'wg0.conf');
      writeFileSync(file, SERVER, { mode: 0o600 });
    });

    it('changes nothing when nobody reads', async () => {
      const { status, error } = await runWithoutReader(programs['wiretype']!, ['add-peer', file, 'phone'], 'stdout');

      assert.match(error, /ERR_OUTPUT_LOST/);
      assert.equal(status, 1);
      assert.equal(readFileSync(file, 'utf8'), SERVER);
    });

    it('changes nothing when the disk is full', () => {
      const { status, stderr } = runFull(programs['wiretype']!, ['add-peer', file, 'phone']);

      assert.match(stderr, /no space left on device\n.*ERR_OUTPUT_LOST/);
      assert.equal(status, 1);
      assert.equal(readFileSync(file, 'utf8'), SERVER);
    });
  });

  it('keeps silent about a full disk under the name wg, as the stock wg', () => {
    assert.deepEqual(runFull(programs['wg']!, ['genkey']), { status: 0, stderr: '' });
  });

  it('runs with its standard streams closed', () => {
    for (const program of [programs['wiretype']!, programs['wg']!]) {
      const { status } = spawnSync('sh', ['-c', 'exec "$0" genkey <&- >&- 2>&-', program]);

      assert.equal(status, 0);
    }
  });
});

describe('a terminal', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-terminal-'));
    const module = new URL('../../src/cli/process-io.js', import.meta.url).href;
    const program = `
      import { createProcessIo } from ${JSON.stringify(module)};
      const { columns, rows, isDumb } = createProcessIo({ program: 'test' });
      console.log(JSON.stringify({ columns, rows, isDumb }));
    `;
    writeFileSync(join(directory, 'terminal.mjs'), program);
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const [size, columns, rows] of [
    ['rows 0 cols 0', 80, 24],
    ['rows 40 cols 132', 132, 40],
  ] as const) {
    it(`has ${columns} columns and ${rows} rows where it reports "${size}"`, () => {
      const shown = onTerminal(size, 'xterm');

      assert.deepEqual(shown, { columns, rows, isDumb: false });
    });
  }

  it('is dumb where TERM names it so', () => {
    assert.equal(onTerminal('rows 24 cols 80', 'dumb')['isDumb'], true);
  });

  function onTerminal(size: string, term: string): Record<string, unknown> {
    const command = `stty ${size}; exec ${process.execPath} ${directory}/terminal.mjs`;
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: term, SHELL: '/bin/sh' },
    });
    return JSON.parse(/\{.*\}/.exec(stdout)?.[0] ?? '{}') as Record<string, unknown>;
  }
});

/** Runs a program of which nobody reads one stream, from the start. */
async function runWithoutReader(
  program: string,
  args: readonly string[],
  stream: 'stdout' | 'stderr',
): Promise<{ status: number | null; error: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child[stream].destroy();
  const error = stream === 'stderr' ? '' : text(child.stderr);
  const [status] = (await once(child, 'exit')) as [number | null];
  return { status, error: await error };
}

function runFull(program: string, args: readonly string[]): { status: number | null; stderr: string } {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', full, 'pipe'] });
  return { status, stderr };
}
