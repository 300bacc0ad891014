import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { addPeer } from '../../../src/cli/setup/add-peer-command.js';
import { init } from '../../../src/cli/setup/init-command.js';
import { removePeer } from '../../../src/cli/setup/remove-peer-command.js';
import type { SetupCommand } from '../../../src/cli/setup/setup-command.js';
import { parseConfig } from '../../../src/control/config/index.js';
import { assertFitsSchema } from '../device/check-schema.js';
import { FakeDaemon } from '../wg/fake-daemon.js';
import { fakeHost } from './fake-host.js';
import { runSetup } from './run-setup.js';

describe('--json of init, add-peer and remove-peer', () => {
  let directory: string;
  let file: string;
  let made: { publicKey: string };
  let seed = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wiretype-setup-json-'));
    file = join(directory, 'wg0.conf');
    made = await run('init.json', init, file, '--endpoint', 'vpn.example.net', '--address', '10.9.0.1/24');
  });

  after(() => rmSync(directory, { recursive: true }));

  it('tells what init made', () => {
    assert.deepEqual(made, {
      interface: 'wg0',
      file,
      publicKey: made.publicKey,
      addresses: ['10.9.0.1/24'],
      listenPort: 51_820,
      endpoint: 'vpn.example.net:51820',
      firewall: 'nft',
      outInterface4: 'eth0',
      outInterface6: null,
      isIsolated: false,
    });
  });

  it("tells what add-peer made, with the client's file in it", async () => {
    const { publicKey, config, ...rest } = await run('add-peer.json', addPeer, file, 'phone');
    assert.deepEqual(rest, {
      interface: 'wg0',
      file,
      name: 'phone',
      addresses: ['10.9.0.2/32'],
      endpoint: 'vpn.example.net:51820',
      expires: null,
      isRunning: false,
    });
    assert.equal(parseConfig(readFileSync(file, 'utf8'), file).peers.at(-1)!.publicKeyText, publicKey);
    assert.equal(parseConfig(config, 'phone.conf').peers[0]!.publicKeyText, made.publicKey);
  });

  it("keeps the client's keys out of it when they are written elsewhere", async () => {
    const output = join(directory, 'laptop.conf');
    const { config } = await run('add-peer.json', addPeer, file, 'laptop', '--output', output);
    assert.equal(config, null);
    assert.match(readFileSync(output, 'utf8'), /^PrivateKey = /m);
    assert.equal((await runSetup(addPeer, directory, [file, 'tablet', '--json', '--qr'])).code, 'ERR_USAGE');
  });

  it('tells whom remove-peer took out, and whether the interface runs', async () => {
    const { publicKey } = await run('add-peer.json', addPeer, file, 'car');
    const daemon = await FakeDaemon.start(directory, 'wg0');
    try {
      const removed = await run('remove-peer.json', removePeer, file, 'car');
      assert.deepEqual(removed, { interface: 'wg0', file, name: 'car', publicKey, isRunning: true });
    } finally {
      await daemon.stop();
    }
  });

  async function run(schema: string, command: SetupCommand, ...args: string[]) {
    const host = fakeHost({ seed: ++seed, out4: 'eth0' }); // keys of its own
    const { out, message } = await runSetup(command, directory, [...args, '--json'], { host });
    assert.equal(message, undefined);
    const shown = JSON.parse(out);
    assertFitsSchema(shown, schema);
    return shown;
  }
});
