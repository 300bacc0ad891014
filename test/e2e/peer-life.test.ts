/**
 * A server that `wiretype init` makes, and the life of its clients: added, disabled, enabled, rotated, expired, isolated.
 *
 * Topology: one cable each from two clients to the server.
 *
 *     anna 192.0.2.2 ── 192.0.2.1 ┐
 *                                 server
 *     ben 198.51.100.2 ── 198.51.100.1 ┘
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Lab } from '../lab/lab.js';
import { Machine } from '../lab/machine.js';
import { assertNoPing, assertPings, ping } from '../lab/traffic.js';
import { waitFor } from '../lab/wait.js';

const SERVER_ADDRESS = '10.66.0.1';
const FILE = '/etc/wireguard/wg0.conf';

describe('the life of a peer', { concurrency: 2 }, () => {
  it('disables a client at once and enables it again, with the keys it has', { timeout: 240_000 }, async (t) => {
    const { server, anna } = await openServer(t);
    await assertPings(anna.host, SERVER_ADDRESS);

    await succeed(server, 'disable-peer', 'wg0', 'anna');
    await assertNoPing(anna.host, SERVER_ADDRESS);
    assert.match((await succeed(server, 'list-peers', 'wg0')).stdout, /^anna +disabled /m);
    assert.equal((await succeed(server, 'reload', 'wg0')).stdout, 'wg0: no changes\n');
    await succeed(server, 'down', 'wg0');
    await succeed(server, 'up', 'wg0');
    await assertNoPing(anna.host, SERVER_ADDRESS);

    await succeed(server, 'enable-peer', 'wg0', 'anna');
    await comesBack(anna);
    assert.match((await succeed(server, 'list-peers', 'wg0')).stdout, /^anna +online /m);
  });

  it('gives a client new keys: the old file is refused, the new one works', { timeout: 240_000 }, async (t) => {
    const { server, anna } = await openServer(t);
    const { stdout } = await succeed(server, 'rotate-peer', 'wg0', 'anna');
    await assertNoPing(anna.host, SERVER_ADDRESS);
    await anna.write(FILE, stdout);
    await succeed(anna, 'reload', 'wg0');
    await assertPings(anna.host, SERVER_ADDRESS);
  });

  it('lets nobody in whose time is over: by the timer, by reload and by up', { timeout: 240_000 }, async (t) => {
    const { server, anna } = await openServer(t);
    for (const command of [['expire'], ['reload', 'wg0'], ['up', 'wg0']]) {
      await comesBack(anna);
      await succeed(server, 'enable-peer', 'wg0', 'anna', '--expires', '2099-01-01');
      await server.run('sed', ['-i', 's/^# Expires = .*/# Expires = 2026-01-01T00:00:00Z/', FILE]);
      if (command[0] === 'up') await succeed(server, 'down', 'wg0');
      const { stderr } = await succeed(server, ...command);
      assert.match(stderr, /^Disabled anna.*: expired at 2026-01-01T00:00:00Z\.$/m);
      await assertNoPing(anna.host, SERVER_ADDRESS);
      assert.match((await succeed(server, 'list-peers', 'wg0')).stdout, /^anna +expired /m);
      await succeed(server, 'enable-peer', 'wg0', 'anna', '--expires', 'never');
    }
  });

  it('lets clients reach each other, and with --isolate only the server', { timeout: 240_000 }, async (t) => {
    for (const [options, isIsolated] of [
      [[], false],
      [['--isolate'], true],
      [['--isolate', '--firewall', 'iptables'], true],
    ] as const) {
      const { anna, ben, server } = await openServer(t, options);
      await assertPings(anna.host, SERVER_ADDRESS);
      await assertPings(ben.host, SERVER_ADDRESS);
      if (isIsolated) await assertNoPing(anna.host, '10.66.0.3');
      else await assertPings(anna.host, '10.66.0.3');
      await succeed(server, 'down', 'wg0');
      assert.equal(await server.run('sysctl', ['-n', 'net.ipv4.ip_forward']), '0\n');
    }
  });
});

/** A client takes its session for alive until nothing has come back for 15 s (§6.2, §6.5): the first requests are lost. */
async function comesBack({ host }: Machine): Promise<void> {
  await waitFor('an answer', async () => (await ping(host, SERVER_ADDRESS)).received > 0, 60_000);
}

async function openServer(t: Parameters<typeof Lab.open>[0], options: readonly string[] = []) {
  const lab = Lab.open(t);
  const [server, anna, ben] = [
    await Machine.create(lab, 'server'),
    await Machine.create(lab, 'anna'),
    await Machine.create(lab, 'ben'),
  ];
  await connect(lab, server, 'eth0', anna, '192.0.2');
  await connect(lab, server, 'eth1', ben, '198.51.100');
  await server.run('sysctl', ['-q', '-w', 'net.ipv4.ip_forward=0']); // a new namespace may begin with that of the host
  await succeed(server, 'init', 'wg0', '--address', `${SERVER_ADDRESS}/24`, '--out', 'eth0', ...options);
  await succeed(server, 'up', 'wg0');
  for (const [client, name, endpoint] of [
    [anna, 'anna', '192.0.2.1:51820'],
    [ben, 'ben', '198.51.100.1:51820'],
  ] as const) {
    const { stdout } = await succeed(server, 'add-peer', 'wg0', name, '--endpoint', endpoint);
    await client.write(FILE, stdout);
    await succeed(client, 'up', 'wg0');
  }
  return { server, anna, ben };
}

async function connect(lab: Lab, server: Machine, name: string, client: Machine, network: string): Promise<void> {
  await lab.cable([server.host, name], [client.host, 'eth0']);
  await server.host.ip(`address add ${network}.1/24 dev ${name}`);
  await client.host.ip(`address add ${network}.2/24 dev eth0`);
}

async function succeed(machine: Machine, ...args: readonly string[]) {
  const result = await machine.wiretype(...args);
  assert.equal(result.status, 0, `wiretype ${args.join(' ')}: ${result.stderr}`);
  return result;
}
