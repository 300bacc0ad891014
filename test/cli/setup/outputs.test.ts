import assert from 'node:assert/strict';
import {
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

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
import { rotatePeer } from '../../../src/cli/setup/rotate-peer-command.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { runSetup } from './run-setup.js';

const SERVER = `[Interface]
# ClientEndpoint = vpn.example.net:51820
Address = 10.9.0.1/24
PrivateKey = ${Buffer.alloc(32, 0x48).toString('base64')}

[Peer]
# Name = old
PublicKey = ${Buffer.alloc(32, 9).toString('base64')}
AllowedIPs = 10.9.0.2/32
`;

describe('the files that add-peer and rotate-peer write', () => {
  let directory: string;
  let folder: string;
  let file: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-outputs-'));
    file = join(directory, 'wg0.conf');
    folder = join(directory, 'out');
  });

  beforeEach(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(file, SERVER, { mode: 0o600 });
  });

  after(() => rmSync(directory, { recursive: true }));

  for (const [name, command] of [
    ['phone', addPeer],
    ['old', rotatePeer],
  ] as const) {
    for (const option of ['--output', '--qr-file']) {
      it(`${command.name} ${option} never replaces a file, and nothing is changed`, async () => {
        const path = join(folder, 'x.png');
        writeFileSync(path, 'the only key of another client');
        await assertRefused(command, [file, name, option, path], 'ERR_FILE_EXISTS');
        assert.equal(readFileSync(path, 'utf8'), 'the only key of another client');
      });

      for (const [what, path, code] of [
        ['into a folder that is not there', 'none/x.png', 'ERR_CONFIG_FILE'],
        ['in place of a folder', 'folder.png', 'ERR_FILE_EXISTS'],
        ['through a link that leads nowhere', 'link.png', 'ERR_FILE_EXISTS'],
      ] as const) {
        it(`${command.name} ${option} ${what} changes nothing`, async () => {
          mkdirSync(join(folder, 'folder.png'));
          symlinkSync('/nowhere/x', join(folder, 'link.png'));
          await assertRefused(command, [file, name, option, join(folder, path)], code);
        });
      }
    }

    it(`${command.name} to a device that is full changes nothing`, async () => {
      await assertRefused(command, [file, name, '--output', '/dev/full'], 'ERR_FILE_EXISTS');
      await assertRefused(command, [file, name, '--output', '/dev/full', '--force'], 'ERR_CONFIG_FILE');
    });

    for (const options of [[], ['--json'], ['--qr'], ['--qr', '--output', 'x.conf']]) {
      it(`${[command.name, ...options].join(' ')} changes nothing when standard output is lost`, async () => {
        const args = [file, name, ...options.map((word) => (word === 'x.conf' ? join(folder, word) : word))];
        const { code } = await runSetup(command, directory, args, { isOutputLost: true });
        assert.equal(code, 'ERR_OUTPUT_LOST');
        assert.equal(readFileSync(file, 'utf8'), SERVER);
        assert.deepEqual(readdirSync(folder), []);
      });
    }

    it(`${command.name} leaves no output when the second one cannot be written`, async () => {
      const args = [file, name, '--output', join(folder, 'a.conf'), '--qr-file', join(folder, 'none/a.png')];
      await assertRefused(command, args, 'ERR_CONFIG_FILE');
      assert.deepEqual(readdirSync(folder), []);
    });

    it(`${command.name} leaves no output, and the file that it would replace, when the daemon refuses`, async () => {
      const daemon = await FakeDaemon.start(directory, 'wg0');
      daemon.answers.set = 'errno=-22\n\n';
      const kept = join(folder, 'a.conf');
      writeFileSync(kept, 'kept');
      try {
        await assertRefused(command, [file, name, '--output', join(folder, 'b.conf')], 'ERR_CONTROL_REFUSED');
        await assertRefused(command, [file, name, '--output', kept, '--force'], 'ERR_CONTROL_REFUSED');
      } finally {
        await daemon.stop();
      }
      assert.deepEqual(readdirSync(folder), ['a.conf']);
      assert.equal(readFileSync(kept, 'utf8'), 'kept');
    });

    it(`${command.name} --force replaces a file, readable by its owner only`, async () => {
      const path = join(folder, 'a.conf');
      writeFileSync(path, 'old', { mode: 0o644 });
      const { code } = await runSetup(command, directory, [file, name, '--output', path, '--force']);
      assert.equal(code, undefined);
      assert.match(readFileSync(path, 'utf8'), /^PrivateKey = /m);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.deepEqual(readdirSync(folder), ['a.conf']);
    });

    it(`${command.name} never replaces the file of the server, and two outputs are two files`, async () => {
      await assertRefused(command, [file, name, '--output', file, '--force'], 'ERR_USAGE');
      const path = join(folder, 'x.png');
      await assertRefused(command, [file, name, '--output', path, '--qr-file', path], 'ERR_USAGE');
    });
  }

  async function assertRefused(command: typeof addPeer, args: readonly string[], code: string): Promise<void> {
    const outcome = await runSetup(command, directory, args);
    assert.deepEqual([outcome.code, outcome.out], [code, ''], outcome.message);
    assert.equal(readFileSync(file, 'utf8'), SERVER);
  }
});
