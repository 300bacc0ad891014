import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
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

  function run(command: string, input = '') {
    const { status, stdout, stderr } = spawnSync(join(directory, 'wg'), [command], { encoding: 'utf8', input });
    return { status, stdout, stderr };
  }
});
