import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';

import { readConfigFile, writeConfigFile } from '../../../src/control/config/index.js';

const FILE = '[Interface]\nListenPort = 5\n# ä € 😀\n';

describe('configuration files on disk', () => {
  let directory: string;
  let path: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-config-'));
    path = join(directory, 'wg0.conf');
  });

  beforeEach(() => writeFileSync(path, '[Interface]\nListenPort = 5\n'));

  after(() => rmSync(directory, { recursive: true }));

  it('reads a file, and a symbolic link to it', async () => {
    symlinkSync('wg0.conf', join(directory, 'link.conf'));
    assert.equal((await readConfigFile(path)).interfaceSection!.listenPort, 5);
    assert.equal((await readConfigFile(join(directory, 'link.conf'))).fileName, join(directory, 'link.conf'));
  });

  for (const [what, name] of [
    ['a file that does not exist', 'missing.conf'],
    ['a directory', '.'],
    ['a path through a file', 'wg0.conf/x'],
  ] as const) {
    it(`says that it cannot read ${what}`, async () => {
      await assert.rejects(readConfigFile(join(directory, name)), {
        code: 'ERR_CONFIG_FILE',
        message: /: cannot read: /,
      });
    });
  }

  it('names the line that is not UTF-8', async () => {
    writeFileSync(path, Buffer.concat([Buffer.from('[Interface]\n# ä\n# '), Buffer.from([0xe4, 0x0a])]));
    await assert.rejects(readConfigFile(path), { code: 'ERR_CONFIG_FILE', message: `${path}:3: not UTF-8 text` });
  });

  it('reads a pipe to its end', async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('sh', ['-c', '(echo "[Interface]"; echo "ListenPort = 6") > "$0"', pipe], { stdio: 'ignore' });
    assert.equal((await readConfigFile(pipe)).interfaceSection!.listenPort, 6);
    rmSync(pipe);
  });

  it('reads any bytes that are UTF-8 to the last one, and refuses all others', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.tuple(fc.nat(40), fc.nat(255)).map(([at, byte]) => Buffer.from(FILE).fill(byte, at, at + 1)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (written) => {
        writeFileSync(path, written);
        if (isUtf8(written)) assert.deepEqual(Buffer.from((await readConfigFile(path)).text), Buffer.from(written));
        else await assert.rejects(readConfigFile(path), { code: 'ERR_CONFIG_FILE', message: /:\d+: not UTF-8 text$/ });
      }),
      { numRuns: 300 },
    );
  });

  it('makes new files that only their owner may read', async () => {
    const fresh = join(directory, 'fresh.conf');
    await writeConfigFile(fresh, 'x\n');
    assert.equal(statSync(fresh).mode & 0o777, 0o600);
    assert.equal(readFileSync(fresh, 'utf8'), 'x\n');
    rmSync(fresh);
  });

  it('keeps the mode of a file that is there, and leaves nothing behind', async () => {
    chmodSync(path, 0o640);
    await writeConfigFile(path, 'y\n');
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.equal(readFileSync(path, 'utf8'), 'y\n');
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('tmp')),
      [],
    );
    chmodSync(path, 0o600);
  });

  it('writes through a symbolic link', async () => {
    const real = join(directory, 'real.conf');
    const link = join(directory, 'other.conf');
    writeFileSync(real, 'old');
    symlinkSync(real, link);
    await writeConfigFile(link, 'new');
    assert.equal(readFileSync(real, 'utf8'), 'new');
    assert.equal(statSync(link).ino, statSync(real).ino);
  });

  it('does not replace a file when it shall be new', async () => {
    await assert.rejects(writeConfigFile(path, 'z', { isNew: true }), {
      code: 'ERR_CONFIG_FILE',
      message: /file already exists/,
    });
    assert.equal(readFileSync(path, 'utf8'), '[Interface]\nListenPort = 5\n');
  });

  it('says that it cannot write into a directory that does not exist', async () => {
    await assert.rejects(writeConfigFile(join(directory, 'a', 'b.conf'), 'x'), {
      code: 'ERR_CONFIG_FILE',
      message: /: cannot write: /,
    });
  });

  it('does not put a file in the place of a directory', async () => {
    const folder = join(directory, 'folder.conf');
    mkdirSync(folder);
    await assert.rejects(writeConfigFile(folder, 'x'), { code: 'ERR_CONFIG_FILE' });
    assert.ok(statSync(folder).isDirectory());
  });
});
