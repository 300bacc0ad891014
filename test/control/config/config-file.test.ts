import assert from 'node:assert/strict';
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

import { readConfigFile, writeConfigFile } from '../../../src/control/config/index.js';

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
