/** A node that leads to the network behind it, and one that is an exit. Topology: mesh-lab.ts, with a printer behind the server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../../lab/capture.js';
import { addAddresses } from '../../lab/lab.js';
import type { Host } from '../../lab/namespace.js';
import type { RunResult } from '../../lab/program.js';
import { waitFor } from '../../lab/wait.js';
import { HUB, type MeshLab, openMeshLab, type Site, waitForPath } from './mesh-lab.js';

const TIMEOUT = { timeout: 240_000 };
const PRINTER = '192.168.7.2';
const BEYOND = '45.45.0.7';
const BEYOND_6 = '2001:db8:45::7';
const SERVER = '203.0.113.102';

describe('A node', () => {
  it('leads to a network and out, once the hub approves it, and leaves the hosts as they were', TIMEOUT, async (t) => {
    const setting = await openMeshLab(t, ['easy', 'easy']);
    const { lab, hubHost, laptop, server, invite, ask } = setting;
    const printer = await lab.host('printer');
    await lab.cable([server.machine.host, 'eth1'], [printer, 'eth0']);
    await addAddresses([server.machine.host, 'eth1', '192.168.7.1/24'], [printer, 'eth0', `${PRINTER}/24`]);
    await openBeyond(setting);
    const before = await stateOf(laptop);
    await server.join(await invite(), 'server', '--route', '192.168.7.0/24', '--route', '0.0.0.0/0');
    const seen = await Capture.start(lab, hubHost, 'br0', `host ${BEYOND} or host ${BEYOND_6}`);
    await laptop.join(await invite(), 'laptop', '--exit', 'server');
    assert.equal(await answers(laptop, PRINTER), false, 'nobody has approved it');
    assert.match((await pinged(laptop, BEYOND)).stdout, /Unreachable/, 'programs are told so at once');
    assert.match(await ask('nodes'), /192\.168\.7\.0\/24 \(not approved\)/);
    assert.match(await laptop.wiretype('status'), /server is not approved as an exit: nothing leaves/);
    assert.deepEqual(await seen.allPackets(), [], 'nothing leaves before the exit may be used');

    await ask('approve', 'server');
    await waitFor('the printer', () => answers(laptop, PRINTER));
    await waitFor('the exit', () => answers(laptop, BEYOND));
    assert.equal(await answers(laptop, BEYOND_6), false, 'the exit leads to IPv4 alone');
    assert.deepEqual((await laptop.status()).exit, { node: 'server', isKnown: true, routes: ['0.0.0.0/0'] });
    await goesOnWithoutUdp(laptop);

    const back = await printer.attempt('ping', ['-c', '1', '-W', '1', (await laptop.status()).addresses[0]!]);
    assert.notEqual(back.status, 0, 'the network behind begins nothing');
    await ask('approve', 'server', '192.168.7.0/24');
    await laptop.agent!.says(/server is not approved as an exit/);
    assert.equal(await answers(laptop, BEYOND), false, 'the exit was taken back');
    await killAndStart(laptop);
    await ask('approve', 'server');
    await waitFor('the exit again', () => answers(laptop, BEYOND));

    const sources = new Set((await seen.stop()).map(({ source }) => source));
    assert.deepEqual([...sources].sort(), [SERVER, BEYOND].sort(), 'nothing has left by the laptop itself');
    for (const site of [laptop, server]) assert.equal(await site.agent!.stop(), 0);
    assert.deepEqual(await stateOf(laptop), before);
    assert.equal(await server.machine.run('nft', ['list', 'tables']), '');
  });
});

/** An address of the internet in each family, at the hub; the laptop has a strict reverse path filter, as some systems do. */
async function openBeyond({ hubHost, laptop, server }: MeshLab): Promise<void> {
  await addAddresses([hubHost, 'br0', `${BEYOND}/32`], [hubHost, 'br0', `${BEYOND_6}/64`]);
  for (const { router } of [laptop, server]) await router.ip(`route add ${BEYOND}/32 via ${HUB}`);
  await connectByIpv6(laptop.machine.host, laptop.router, hubHost);
  await laptop.machine.host.sysctl('net.ipv4.conf.all.rp_filter', 1);
}

async function connectByIpv6(client: Host, router: Host, hub: Host): Promise<void> {
  await addAddresses([client, 'eth0', '2001:db8:1::2/64'], [router, 'lan', '2001:db8:1::1/64']);
  await addAddresses([router, 'wan', '2001:db8:45::101/64']);
  await router.forwards();
  await client.ip('-6 route add default via 2001:db8:1::1');
  await hub.ip('-6 route add 2001:db8:1::/64 via 2001:db8:45::101');
}

/** The carrier's own connection goes past the exit. Each change of addresses makes the agent try UDP at once. */
async function goesOnWithoutUdp(laptop: Site): Promise<void> {
  const { host } = laptop.machine;
  await laptop.blockUdp(true);
  await addAddresses([host, 'eth0', '10.1.0.9/24']);
  await waitForPath(laptop, 'server', 'carried');
  await waitFor('the exit by the carrier', () => answers(laptop, BEYOND));
  await laptop.blockUdp(false);
  await host.ip('address delete 10.1.0.9/24 dev eth0');
  await waitFor('UDP', async () => (await laptop.status()).hub.way === 'udp');
  await waitFor('the exit by UDP', () => answers(laptop, BEYOND));
}

/** Without its interface the exit is gone, and what is left of it must not cut the host off, nor add up. */
async function killAndStart(laptop: Site): Promise<void> {
  const before = await stateOf(laptop);
  await laptop.agent!.stop('SIGKILL');
  const way = () => laptop.machine.run('ip', ['route', 'get', BEYOND]);
  await waitFor('its own way', async () => (await way()).includes('dev eth0'));
  await laptop.start('--exit', 'server');
  assert.deepEqual(await stateOf(laptop), before);
}

async function answers(site: Site, address: string): Promise<boolean> {
  return (await pinged(site, address)).status === 0;
}

async function pinged({ machine }: Site, address: string): Promise<RunResult> {
  return await machine.attempt('ping', ['-c', '1', '-W', '2', '-n', address]);
}

async function stateOf({ machine }: Site): Promise<string[]> {
  const routes = await machine.host.ip('route show table all');
  return [
    await machine.host.ip('rule show'),
    await machine.host.ip('-6 rule show'),
    routes.replace(/^.*\bfe80:.*\n/gm, ''), // each interface has another one
    await machine.run('nft', ['list', 'tables']),
    await machine.run('sysctl', ['net.ipv4.conf.all.src_valid_mark']),
  ];
}
