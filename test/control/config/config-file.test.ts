import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
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
import { removeDrafts } from '../../../src/control/config/replace-file.js';

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

  it('says that a file is UTF-16 text', async () => {
    writeFileSync(path, Buffer.from('\ufeff[Interface]\n', 'utf16le'));
    await assert.rejects(readConfigFile(path), {
      code: 'ERR_CONFIG_FILE',
      message: /UTF-16 text: save the file as UTF-8/,
    });
  });

  it('reads a pipe to its end', async () => {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('sh', ['-c', '(echo "[Interface]"; echo "ListenPort = 6") > "$0"', pipe], { stdio: 'ignore' });
    assert.equal((await readConfigFile(pipe)).interfaceSection!.listenPort, 6);
    rmSync(pipe);
  });

  it('reads any bytes, and writes them back', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.tuple(fc.nat(40), fc.nat(255)).map(([at, byte]) => Buffer.from(FILE).fill(byte, at, at + 1)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (written) => {
        if (/^(?:\xff\xfe|\xfe\xff)/.test(Buffer.from(written).toString('latin1'))) return;
        writeFileSync(path, written);
        const { text } = await readConfigFile(path);
        if (isUtf8(written)) assert.equal(text, Buffer.from(written).toString());
        await writeConfigFile(path, text);
        assert.deepEqual(readFileSync(path), Buffer.from(written));
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

  it('changes one value of a file in another encoding, and no other byte', async () => {
    const latin1 = Buffer.from(
      '[Interface] # caf\xe9\nPostUp = echo "Gr\xfc\xdfe"\nListenPort = 5 # B\xfcro\n',
      'latin1',
    );
    writeFileSync(path, latin1);

    const document = await readConfigFile(path);
    document.interfaceSection!.set('ListenPort', '51820');
    await writeConfigFile(path, document.text);

    assert.equal(readFileSync(path, 'latin1'), latin1.toString('latin1').replace('= 5', '= 51820'));
  });

  it('removes what killed writers have left, and nothing else', async () => {
    const gone = spawnSync('true').pid;
    const names = [`wg0.conf.${gone}.tmp`, `wg0.conf.${process.pid}.0123456789ab.tmp`];
    const kept = ['wg0.conf.1.tmp', 'wg0.conf.bak.tmp', `wg1.conf.${gone}.tmp`];
    for (const name of [...names, ...kept]) writeFileSync(join(directory, name), 'PrivateKey = x');

    await removeDrafts(path);

    const left = readdirSync(directory).filter((name) => name.endsWith('.tmp'));
    assert.deepEqual(left.sort(), kept.sort());
    for (const name of left) rmSync(join(directory, name));
  });

  it('writes beside the draft of a killed writer of the same number', async () => {
    writeFileSync(`${path}.${process.pid}.tmp`, 'PrivateKey = x');
    await writeConfigFile(path, 'y\n');
    assert.equal(readFileSync(path, 'utf8'), 'y\n');
    rmSync(`${path}.${process.pid}.tmp`);
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
