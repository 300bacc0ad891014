/**
 * The files that `wiretype save` writes, and the output of `strip`.
 *
 * Topology: test/lab/quick-client.ts.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { clientConfig, openClient, openQuickClient } from '../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';

describe('strip', () => {
  it('prints what wg-quick prints, byte for byte', { timeout: 240_000 }, async (t) => {
    const { client } = await openClient(t);
    const [one, two] = [generateKeyPair(), generateKeyPair()];
    const files = [
      `# top\n\n[Interface]\nPrivateKey = ${one.privateKey}\nAddress = 10.0.0.1/24\n  dns=1.1.1.1 # d\nMTU=1400\n`,
      `[interface]\r\nADDRESS = 10.0.0.1/24\r\nListenPort = 1\r\n\r\n[Peer]\r\nPublicKey = ${two.publicKey}\r\n`,
      `[Interface]\nPostUp = a = b # c\nTable = off\nSaveConfig = true\n[Peer]\nAddress = kept\n[Interface]\nPreDown = x`,
      `Address = before\n[Other]\nAddress = other\n[Interface]\n\tTable\t=\t7\nFwMark = 9 # m\n\n`,
      '',
    ];
    for (const text of files) {
      await client.write(FILE, text);

      const stock = await client.attempt('wg-quick', ['strip', 'wg0']);
      const ours = await client.wiretype('strip', 'wg0');

      assert.deepEqual(ours, stock);
    }
  });
});

describe('save', { concurrency: 2 }, () => {
  it('writes what has changed, and keeps comments, order, names and secrets', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, serverWireguard } = setting;
    const text = [
      '# my laptop',
      clientConfig(setting, {
        interface: [
          '  Address = 10.66.0.2/24   # mine',
          'ListenPort = 51999',
          'PostUp = true # nothing',
          'SaveConfig = true',
        ],
        peer: ['# the office', 'AllowedIPs = 10.66.0.0/24', 'PersistentKeepalive = 25'],
      }),
    ].join('\n');
    await client.write(FILE, text);
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    assert.equal((await client.wiretype('save', 'wg0')).status, 0);
    assert.equal(await client.read(FILE), text, 'what has not changed is not touched');

    const added = generateKeyPair().publicKey;
    await client.run('wg', ['set', 'wg0', 'listen-port', '51998', 'peer', added, 'allowed-ips', '10.66.9.0/24']);
    await client.run('wg', [
      'set',
      'wg0',
      'peer',
      serverWireguard.publicKey,
      'allowed-ips',
      '10.66.0.0/24,10.67.0.0/16',
    ]);
    await client.run('ip', ['address', 'add', 'fd66::2/64', 'dev', 'wg0']);
    const { status, stderr } = await client.wiretype('down', 'wg0');

    assert.equal(status, 0, stderr);
    const saved = text
      .replace('  Address = 10.66.0.2/24   # mine\n', '')
      .replace('ListenPort = 51999', 'ListenPort = 51998')
      .replace('SaveConfig = true', 'SaveConfig = true\nAddress = 10.66.0.2/24\nAddress = fd66::2/64')
      .replace('AllowedIPs = 10.66.0.0/24', 'AllowedIPs = 10.66.0.0/24, 10.67.0.0/16');
    assert.equal(await client.read(FILE), `${saved}\n[Peer]\nPublicKey = ${added}\nAllowedIPs = 10.66.9.0/24\n`);
    assert.match(await client.run('stat', ['-c', '%a', FILE]), /^600$/m);
    assert.equal(await client.run('ls', ['/etc/wireguard']), 'wg0.conf\n', 'nothing else is left');
  });

  it('neither saves a mark of its own choice nor a key that a hook fetches', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, clientKeys } = setting;
    await client.write('/run/key', `${clientKeys.privateKey}\n`);
    const text = clientConfig(setting, {
      interface: ['Address = 10.66.0.2/24', 'ListenPort = 51999', 'PostUp = wg set %i private-key /run/key'],
      peer: ['AllowedIPs = 0.0.0.0/0'],
    }).replace(/PrivateKey.*\n/, '');
    await client.write(FILE, text);

    for (const command of ['up', 'save', 'down']) {
      const options = command === 'up' ? ['--implementation', subject.command] : [];
      assert.equal((await client.wiretype(command, ...options, 'wg0')).status, 0);
    }

    assert.equal(await client.read(FILE), text);
  });
});
