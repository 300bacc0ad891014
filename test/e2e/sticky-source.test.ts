/**
 * A device answers from the address that was asked, for as long as that is right and no longer.
 *
 * ```text
 *   left                                                              right
 *   eth0  10.0.0.1/24   fd00:aa::1/64  ══════ first cable ══════  10.0.0.2/24   fd00:aa::2/64  eth0
 *   eth1  10.0.1.1/24   fd00:ab::1/64  ══════ second cable ═════  10.0.1.2/24   fd00:ab::2/64  eth1
 *                                                                 10.50.0.1/32  fd00:50::1/128 lo
 *   wg    192.168.241.1 fd00:bb::1     ─ ─ ─ ─  tunnel  ─ ─ ─ ─   192.168.241.2 fd00:bb::2     wg
 * ```
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture } from '../lab/capture.js';
import { subject } from '../lab/implementation.js';
import { addAddress, addAddresses } from '../lab/lab.js';
import { PingStream } from '../lab/ping-stream.js';
import { assertPings } from '../lab/traffic.js';
import { connectTwoHosts, introduce, LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import { waitFor } from '../lab/wait.js';
import { Wireguard } from '../lab/wireguard.js';

const PLANS = {
  4: {
    bits: 24,
    secondOfLeft: '10.0.0.11',
    secondOfRight: '10.0.0.22',
    onLoopback: '10.50.0.1',
    firstRoute: '10.0.0.2',
    secondRoute: '10.0.1.2',
    firstSource: '10.0.0.1',
    secondSource: '10.0.1.1',
  },
  6: {
    bits: 64,
    secondOfLeft: 'fd00:aa::11',
    secondOfRight: 'fd00:aa::22',
    onLoopback: 'fd00:50::1',
    firstRoute: 'fd00:aa::2',
    secondRoute: 'fd00:ab::2',
    firstSource: 'fd00:aa::1',
    secondSource: 'fd00:ab::1',
  },
} as const;

for (const outer of [4, 6] as const) {
  const plan = PLANS[outer];

  describe(`the source address over IPv${outer}`, () => {
    it('is the one of several that the peer wrote to', { timeout: 120_000 }, async (t) => {
      const tunnel = await openTunnel(t, { outer, endpointsAt: 'left' });
      await addAddress(tunnel.right, 'eth0', `${plan.secondOfRight}/${plan.bits}`);

      await speakTo(tunnel, plan.secondOfRight);
      await assertPings(tunnel.left, RIGHT.inner4, { count: 3 });
      await assertPings(tunnel.right, LEFT.inner4, { count: 3 });

      assert.equal((await tunnel.leftWireguard.peer()).endpoint, endpoint(plan.secondOfRight));
    });

    it('may be on another interface than the one that datagrams leave by', { timeout: 120_000 }, async (t) => {
      const tunnel = await openTwoCables(t);
      await tunnel.left.ip(`-${outer} route add ${plan.onLoopback} via ${plan.firstRoute}`);

      await speakTo(tunnel, plan.onLoopback);
      await assertPings(tunnel.right, LEFT.inner4, { count: 3 });

      assert.equal((await tunnel.leftWireguard.peer()).endpoint, endpoint(plan.onLoopback));
    });

    it('is forgotten when the address is taken away', { timeout: 240_000 }, async (t) => {
      const tunnel = await openTunnel(t, { outer });
      const { left, right, rightWireguard } = tunnel;
      await assertPings(right, LEFT.inner4);
      await assertPings(left, RIGHT.inner4);

      await addAddress(left, 'eth0', `${plan.secondOfLeft}/${plan.bits}`);
      await left.ip(`addr del ${plan.firstSource}/${plan.bits} dev eth0`);

      await assertPings(left, RIGHT.inner4, { count: 5 });
      assert.equal((await rightWireguard.peer()).endpoint, endpoint(plan.secondOfLeft));
    });

    it('follows a better route to another interface', { timeout: 240_000 }, async (t) => {
      const tunnel = await openTwoCables(t);
      const { left, right, rightWireguard } = tunnel;
      await left.ip(`-${outer} route add ${plan.onLoopback} via ${plan.firstRoute} metric 100`);
      await speakTo(tunnel, plan.onLoopback);
      await assertPings(right, LEFT.inner4);
      assert.equal((await rightWireguard.peer()).endpoint, endpoint(plan.firstSource));

      await left.ip(`-${outer} route add ${plan.onLoopback} via ${plan.secondRoute} metric 10`);
      await arrivesBy(tunnel, 'eth1');
      // Over IPv6 the source stays as long as the address is there, as with the kernel's WireGuard.
      if (outer === 4) await seesFrom(tunnel, plan.secondSource);
      await left.ip(`-${outer} route del ${plan.onLoopback} via ${plan.secondRoute} metric 10`);
      await arrivesBy(tunnel, 'eth0');
      await seesFrom(tunnel, plan.firstSource);
    });

    it('follows when the interface that held it disappears', { timeout: 240_000 }, async (t) => {
      const tunnel = await openTwoCables(t);
      const { left, right } = tunnel;
      await left.ip(`-${outer} route add ${plan.onLoopback} via ${plan.firstRoute} metric 10`);
      await left.ip(`-${outer} route add ${plan.onLoopback} via ${plan.secondRoute} metric 100`);
      await speakTo(tunnel, plan.onLoopback);
      await assertPings(right, LEFT.inner4);

      await left.ip('link del eth0');

      await seesFrom(tunnel, plan.secondSource);
    });
  });
}

describe('IPv4 and IPv6 in one process', () => {
  it('keeps the addresses of peers of both families apart', { timeout: 240_000 }, async (t) => {
    const { lab, left, right, leftWireguard } = await openTunnel(t, { outer: 4 });
    const third = await Wireguard.create(lab, right, subject, 51830);
    await leftWireguard.setPeer({
      publicKey: third.publicKey,
      allowedIps: '192.168.242.2/32',
      endpoint: `[${RIGHT.outer6}]:51830`,
    });
    await third.setPeer({ publicKey: leftWireguard.publicKey, allowedIps: `${LEFT.inner4}/32` });
    await third.up(['192.168.242.2/32']);
    await left.ip(`route add 192.168.242.2/32 dev ${leftWireguard.name}`);
    // The way back to the left host is by the first tunnel for the first, by the third for what came over it.
    await right.ip(`rule add from 192.168.242.2 table 242`);
    await right.ip(`route add ${LEFT.inner4}/32 dev ${third.name} table 242`);

    const first = PingStream.start(left, RIGHT.inner4);
    await assertPings(left, '192.168.242.2', { count: 20 });
    await first.assertUnbroken(100);

    assert.deepEqual(
      (await leftWireguard.state()).peers.map((peer) => peer.endpoint),
      [`${RIGHT.outer4}:${PORT}`, `[${RIGHT.outer6}]:51830`],
    );
  });
});

/** Left and right with both cables and right's address on its loopback interface; only left is told an endpoint. */
async function openTwoCables(t: Parameters<typeof connectTwoHosts>[0]): Promise<Tunnel> {
  const hosts = await connectTwoHosts(t);
  const { lab, left, right } = hosts;
  await lab.cable([left, 'eth1'], [right, 'eth1']);
  await addAddresses(
    [left, 'eth1', '10.0.1.1/24', 'fd00:ab::1/64'],
    [right, 'eth1', '10.0.1.2/24', 'fd00:ab::2/64'],
    [right, 'lo', `${PLANS[4].onLoopback}/32`, `${PLANS[6].onLoopback}/128`],
  );
  const leftWireguard = await Wireguard.create(lab, left, subject, PORT);
  const rightWireguard = await Wireguard.create(lab, right, subject, PORT);
  await introduce(leftWireguard, rightWireguard, { endpointsAt: 'none' });
  await leftWireguard.up([`${LEFT.inner4}/24`, `${LEFT.inner6}/64`]);
  await rightWireguard.up([`${RIGHT.inner4}/24`, `${RIGHT.inner6}/64`]);
  return { ...hosts, leftWireguard, rightWireguard };
}

/** Left writes to this address of right, and is answered. */
async function speakTo({ left, leftWireguard, rightWireguard }: Tunnel, address: string): Promise<void> {
  await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, endpoint: endpoint(address) });
  await assertPings(left, RIGHT.inner4);
}

/** Left goes on speaking, until right sees it at this address. */
async function seesFrom({ left, rightWireguard }: Tunnel, address: string): Promise<void> {
  const traffic = left.start('ping', ['-q', '-i', '0.1', RIGHT.inner4]);
  await waitFor(`right to see ${address}`, async () => (await rightWireguard.peer()).endpoint === endpoint(address));
  await traffic.stop();
  await assertPings(left, RIGHT.inner4);
}

/** Left goes on speaking, until its datagrams reach right by this interface. */
async function arrivesBy({ lab, left, right }: Tunnel, interfaceName: string): Promise<void> {
  const capture = await Capture.start(lab, right, interfaceName, `udp dst port ${PORT}`);
  const traffic = left.start('ping', ['-q', '-i', '0.1', RIGHT.inner4]);
  await waitFor(`datagrams on ${interfaceName}`, () => capture.packets().length > 2);
  await traffic.stop();
  await capture.stop();
}

function endpoint(address: string): string {
  return address.includes(':') ? `[${address}]:${PORT}` : `${address}:${PORT}`;
}
