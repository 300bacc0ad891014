/**
 * Two tunnels that both take all traffic, on one client.
 *
 * ```text
 *                            ┌─ 203.0.113.1/24  first   198.51.100.7 lo, 10.1.0.1 wg
 *   client 203.0.113.2/32 ═══╡                                                        switch: bridge on the hub
 *   wg1, wg2                 └─ 203.0.113.3/24  second  198.51.100.7 lo, 10.2.0.1 wg
 * ```
 *
 * Both servers have the address of "the internet": the server that answers shows which tunnel a packet took.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { subject } from '../lab/implementation.js';
import { generateKeyPair } from '../lab/keys.js';
import { addAddresses, Lab } from '../lab/lab.js';
import { Machine } from '../lab/machine.js';
import type { Host } from '../lab/namespace.js';
import { hostState, INTERNET } from '../lab/quick-client.js';
import { assertPings } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

interface Servers {
  readonly client: Machine;
  readonly first: Wireguard;
  readonly second: Wireguard;
}

describe('two tunnels for all traffic', { concurrency: 2 }, () => {
  it('the newer one takes the traffic; each leaves the rules of the other alone', { timeout: 240_000 }, async (t) => {
    const { client, first, second } = await openServers(t);
    const before = await hostState(client);

    await up(client, 'wg1');
    const alone = await hostState(client);
    assert.ok(await takesTunnel(client, first));
    await up(client, 'wg2');
    assert.ok(await takesTunnel(client, second));
    assert.match(await client.host.ip('link show wg2'), /mtu 1420/, 'its datagrams do not go through wg1');

    await down(client, 'wg2');
    assert.equal(await hostState(client), alone);
    assert.ok(await takesTunnel(client, first));

    await up(client, 'wg2');
    await down(client, 'wg1');
    assert.ok(await takesTunnel(client, second));
    await up(client, 'wg1');
    assert.ok(await takesTunnel(client, first));
    await down(client, 'wg2');
    assert.ok(await takesTunnel(client, first));
    await down(client, 'wg1');
    assert.equal(await hostState(client), before);
  });

  it('get marks of their own when they come up at once', { timeout: 240_000 }, async (t) => {
    const { client } = await openServers(t);
    const before = await hostState(client);

    await Promise.all([up(client, 'wg1'), up(client, 'wg2')]);
    const marks = (await client.run('wg', ['show', 'all', 'fwmark'])).match(/0x\w+/g) ?? [];
    assert.equal(new Set(marks).size, 2, marks.join());
    await Promise.all([down(client, 'wg1'), down(client, 'wg2')]);

    assert.equal(await hostState(client), before);
  });
});

async function openServers(t: Parameters<typeof Lab.open>[0]): Promise<Servers> {
  const lab = Lab.open(t);
  const client = await Machine.create(lab, 'client');
  const hub = await lab.host('hub');
  await hub.ip('link add switch type bridge');
  await hub.ip('link set switch up');
  await lab.cable([client.host, 'eth0'], [hub, 'port0']);
  await hub.ip('link set port0 master switch');
  // The servers are found by the default route only: what is marked wrong goes round in circles.
  await addAddresses([client.host, 'eth0', '203.0.113.2/32']);
  await client.host.ip('route add default dev eth0');

  const servers: Wireguard[] = [];
  for (const [i, title] of ['first', 'second'].entries()) {
    const host = await lab.host(title);
    await lab.cable([host, 'eth0'], [hub, `port${i + 1}`]);
    await hub.ip(`link set port${i + 1} master switch`);
    servers.push(await openServer(lab, host, client, i + 1));
  }
  return { client, first: servers[0]!, second: servers[1]! };
}

async function openServer(lab: Lab, host: Host, client: Machine, number: number): Promise<Wireguard> {
  const address = `203.0.113.${2 * number - 1}`;
  await addAddresses([host, 'eth0', `${address}/24`], [host, 'lo', `${INTERNET[4]}/32`]);
  const server = await Wireguard.create(lab, host, subject);
  const keys = generateKeyPair();
  await server.setPeer({ publicKey: keys.publicKey, allowedIps: `10.${number}.0.2/32` });
  await server.up([`10.${number}.0.1/24`]);
  const lines = [
    '[Interface]',
    `PrivateKey = ${keys.privateKey}`,
    `Address = 10.${number}.0.2/24`,
    `DNS = 10.${number}.0.1`,
    '[Peer]',
    `PublicKey = ${server.publicKey}`,
    `Endpoint = ${address}:51820`,
    'AllowedIPs = 0.0.0.0/0',
    '',
  ];
  await client.write(`/etc/wireguard/wg${number}.conf`, lines.join('\n'));
  return server;
}

async function up(client: Machine, name: string): Promise<void> {
  const { status, stderr } = await client.wiretype('up', '--implementation', subject.command, name);
  assert.equal(status, 0, stderr);
}

async function down(client: Machine, name: string): Promise<void> {
  const { status, stderr } = await client.wiretype('down', name);
  assert.equal(status, 0, stderr);
  await waitFor('the daemon to end', async () => !(await client.run('ls', ['/run/wireguard'])).includes(name));
}

/** Whether a ping to the internet comes through this server. */
async function takesTunnel(client: Machine, server: Wireguard): Promise<boolean> {
  const before = (await server.peer()).rxBytes;
  await assertPings(client.host, INTERNET[4]);
  return (await server.peer()).rxBytes > before;
}
