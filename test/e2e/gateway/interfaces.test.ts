/** `wiretype gateway --interfaces`: the page's operations on an interface that this host has by a file. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { CHECKOUT, subject } from '../../lab/implementation.js';
import { generateKeyPair } from '../../lab/keys.js';
import { openClient } from '../../lab/quick-client.js';

const FILE = '/etc/wireguard/wg0.conf';
const TIMEOUT = { timeout: 240_000 };

const server = (privateKey: string, peerKey: string): string => `# The server in the cellar.
[Interface]
Address = 10.66.0.1/24
ListenPort = 51820
PrivateKey = ${privateKey}

[Peer]
# Name = laptop
# bought in May
PublicKey = ${peerKey}
AllowedIPs = 10.66.0.2/32
`;

describe('wiretype gateway --interfaces', () => {
  it('shows, adds, renames, disables and removes peers in the file with its comments, and live', TIMEOUT, async (t) => {
    const { lab, client } = await openClient(t);
    const laptop = generateKeyPair();
    await client.write(FILE, server(generateKeyPair().privateKey, laptop.publicKey));
    const up = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    assert.equal(up.status, 0, up.stderr);
    const state = join(lab.folder, 'gateway');
    const words = ['gateway', 'run', '--interfaces', '--state', state, '--port', '51900', '--endpoint', '203.0.113.2'];
    const program = client.start(`${CHECKOUT}bin/wiretype`, words);
    await program.says(/The page is at/);
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
    const call = (method: string, path: string, body?: object): Promise<{ status: number; body: any }> =>
      new Promise((resolve, reject) => {
        const headers = body === undefined ? {} : { 'content-type': 'application/json' };
        request({ socketPath: join(state, 'control.sock'), method, path: `/api/v1${path}`, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode!, body: text === '' ? {} : JSON.parse(text) }),
          );
        })
          .on('error', reject)
          .end(body === undefined ? undefined : JSON.stringify(body));
      });
    const inPath = (key: string): string => key.replaceAll('+', '-').replaceAll('/', '_').replace('=', '');

    assert.deepEqual((await call('GET', '/interfaces')).body.interfaces, [
      { name: 'wg0', isRunning: true, hasFile: true },
    ]);
    const found = (await call('GET', '/interfaces/wg0')).body;
    assert.deepEqual([found.listenPort, found.peers.length], [51_820, 1]);
    assert.deepEqual([found.peers[0].name, found.peers[0].state], ['laptop', 'never-seen']);
    const explained = (await call('GET', `/interfaces/wg0/peers/${inPath(laptop.publicKey)}/explain`)).body;
    assert.match(explained.reason, /endpoint/);

    const phone = generateKeyPair();
    const added = await call('POST', '/interfaces/wg0/peers', { peerName: 'phone', publicKey: phone.publicKey });
    assert.equal(added.status, 201, added.body.detail);
    assert.match(added.body.file, /^PrivateKey = *$/m);
    assert.match(added.body.file, /Endpoint = .*:51820/);
    const live = async (): Promise<string> => client.run('wg', ['show', 'wg0', 'peers']);
    assert.ok((await live()).includes(phone.publicKey));

    const path = `/interfaces/wg0/peers/${inPath(phone.publicKey)}`;
    const changed = await call('PATCH', path, { peerName: 'tablet', isDisabled: true });
    assert.equal(changed.status, 200, changed.body.detail);
    assert.deepEqual(
      changed.body.peers.map(({ name, state: each }: { name: string; state: string }) => [name, each]),
      [
        ['laptop', 'never-seen'],
        ['tablet', 'disabled'],
      ],
    );
    assert.ok(!(await live()).includes(phone.publicKey));
    assert.equal((await call('PATCH', path, { isDisabled: false })).body.peers[1].state, 'never-seen');
    assert.equal((await call('DELETE', path)).status, 204);
    const text = await client.read(FILE);
    assert.match(text, /^# The server in the cellar\.\n(?:.*\n)*# bought in May\n/);
    assert.ok(!text.includes(phone.publicKey) && !(await live()).includes(phone.publicKey));

    const again = await call('DELETE', path);
    assert.deepEqual([again.status, again.body.code], [409, 'ERR_INTERFACE']);
    assert.equal((await call('GET', '/interfaces/wg9')).status, 404);
    const audit = (await call('GET', '/audit')).body.entries.map(({ operation }: { operation: string }) => operation);
    assert.ok(audit.includes('interface.addPeer') && audit.includes('interface.removePeer'));
    assert.equal((await call('GET', '/devices')).body.devices.length, 0, 'no first device is made');
    program.signal('SIGINT');
    assert.equal(await program.exited, 0);
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
  });
});
