import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../../bin/wiretype', import.meta.url));

describe('a link named wg to wiretype', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-link-'));
    symlinkSync(PROGRAM, join(directory, 'wg'));
  });

  after(() => rmSync(directory, { recursive: true }));

  it('is wg: to scripts that call it by its path', () => {
    const { status, stdout, stderr } = run('--version');
    assert.equal(stdout, 'wireguard-tools v1.0.20260223 - https://git.zx2c4.com/wireguard-tools/\n');
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('makes a key pair through pipes', () => {
    const key = run('genkey').stdout;
    assert.match(run('pubkey', key).stdout, /^[A-Za-z0-9+/]{43}=\n$/);
  });

  it('writes usage on standard error, status 1', () => {
    assert.deepEqual(run('showconf'), { status: 1, stdout: '', stderr: 'Usage: wg showconf <interface>\n' });
  });

  for (const command of ['genkey', 'genpsk']) {
    it(`warns, as the stock wg does, when ${command} writes to a file that others can open`, {
      skip: !hasStock(),
    }, () => {
      for (const [mask, isWarned] of [
        ['022', true],
        ['024', true],
        ['026', false],
        ['077', false],
      ] as const) {
        const [stock, ours] = ['wg', join(directory, 'wg')].map((program) => writeKey(program, command, mask));
        assert.deepEqual(ours, stock);
        assert.equal(stock!.stderr.startsWith('Warning: writing to world accessible file.\n'), isWarned);
      }
    });
  }

  function writeKey(program: string, command: string, mask: string) {
    const file = join(directory, `key-${mask}`);
    rmSync(file, { force: true });
    const words = ['-c', 'umask "$0" && exec "$1" "$2" > "$3"', mask, program, command, file];
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
    return { status, stderr, length: readFileSync(file).length };
  }

  function run(command: string, input = '') {
    const { status, stdout, stderr } = spawnSync(join(directory, 'wg'), [command], { encoding: 'utf8', input });
    return { status, stdout, stderr };
  }
});

function hasStock(): boolean {
  return spawnSync('wg', ['--version']).status === 0;
}
