/**
 * A server that is known by name, and moves.
 *
 * Topology: test/lab/quick-client.ts; the client's /etc/hosts is its name service.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertFitsSchema } from '../cli/device/check-schema.js';
import { subject } from '../lab/implementation.js';
import { clientConfig, openQuickClient } from '../lab/quick-client.js';
import { assertNoPing, assertPings } from '../lab/traffic.js';

describe('an endpoint with a name', () => {
  it('is looked up by up, and again by reresolve once the peer is silent', { timeout: 240_000 }, async (t) => {
    const setting = await openQuickClient(t);
    const { client, serverWireguard } = setting;
    const file = clientConfig(setting, {
      interface: ['Address = 10.66.0.2/24'],
      peer: ['AllowedIPs = 10.66.0.0/24'],
    }).replace('203.0.113.1:51820', 'vpn.example.com:51820');
    await client.write('/etc/wireguard/wg0.conf', file);
    await client.write('/etc/nsswitch.conf', 'hosts: files\n', '644');
    const unknown = await client.wiretype('up', '--implementation', subject.command, 'wg0');
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /vpn\.example\.com.*\(ERR_NAME_RESOLUTION\)/);

    await client.write('/etc/hosts', '203.0.113.77 vpn.example.com\n', '644');
    assert.equal((await client.wiretype('up', '--implementation', subject.command, 'wg0')).status, 0);
    await assertNoPing(client.host, '10.66.0.1');
    const idle = await client.wiretype('reresolve', 'wg0');
    assert.deepEqual([idle.status, idle.stdout, idle.stderr], [0, '', ''], 'the name has not moved');

    await client.write('/etc/hosts', '203.0.113.79 vpn.example.com\n', '644');
    const shown = JSON.parse((await client.wiretype('reresolve', '--json', 'wg0')).stdout);
    assertFitsSchema(shown, 'reresolve.json');
    const [endpoint, from, to] = ['vpn.example.com:51820', '203.0.113.77:51820', '203.0.113.79:51820'];
    const { publicKey } = serverWireguard;
    assert.deepEqual(shown, { interface: 'wg0', moves: [{ name: null, publicKey, endpoint, from, to }] });

    await client.write('/etc/hosts', '203.0.113.1 vpn.example.com\n', '644');
    const moved = await client.wiretype('reresolve', 'wg0');
    assert.equal(
      moved.stdout,
      `wg0: peer ${serverWireguard.publicKey}: vpn.example.com:51820 moved from 203.0.113.79:51820 to 203.0.113.1:51820\n`,
    );
    await assertPings(client.host, '10.66.0.1');

    await client.write('/etc/hosts', '203.0.113.78 vpn.example.com\n', '644');
    assert.equal((await client.wiretype('reresolve', 'wg0')).stdout, '', 'a peer that talks is left where it is');
    assert.equal((await client.wiretype('reload', 'wg0')).stdout, 'wg0: no changes\n');
    assert.equal((await client.wiretype('down', 'wg0')).status, 0);
  });
});
