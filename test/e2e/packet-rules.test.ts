/**
 * The fate of single packets: byte counts, the source check, errors to the sender, the outer header.
 *
 * Topology: `test/lab/two-hosts.ts`. Where packets are forwarded into the tunnel, a third host is behind left:
 *
 * ```text
 *   behind  eth0 10.7.0.2/24 fd00:77::2/64 ═══ 10.7.0.1/24 fd00:77::1/64 eth7  left  ─ ─ tunnel
 * ```
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Capture, messageTypes, type SeenPacket } from '../lab/capture.js';
import { generateKeyPair } from '../lab/keys.js';
import { addAddress, addAddresses } from '../lab/lab.js';
import type { Host } from '../lab/namespace.js';
import { assertNoPing, assertPings, ping } from '../lab/traffic.js';
import { LEFT, openTunnel, PORT, RIGHT, type Tunnel } from '../lab/two-hosts.js';
import type { Wireguard } from '../lab/wireguard.js';

const ECT0 = 0b10;
const CE = 0b11;
const DSCP_EF = 46 << 2;
/** AF41: the class of handshake messages. */
const HANDSHAKE_CLASS = 0x88;

describe('counters', () => {
  it('count every byte of a handshake and ten pings, and none besides', { timeout: 120_000 }, async (t) => {
    const { left, leftWireguard, rightWireguard } = await openTunnel(t, { endpointsAt: 'left' });

    await assertPings(left, RIGHT.inner4, { count: 10 });

    // 84 bytes of ping are padded to 96 and get 32 more; initiation 148, response 92 (whitepaper §5.4).
    const initiatorSent = 148 + 10 * 128;
    const responderSent = 92 + 10 * 128;
    const [initiator, responder] = [await leftWireguard.peer(), await rightWireguard.peer()];
    assert.deepEqual([initiator.txBytes, initiator.rxBytes], [initiatorSent, responderSent]);
    assert.deepEqual([responder.rxBytes, responder.txBytes], [initiatorSent, responderSent]);
  });
});

describe('the source check of cryptokey routing (whitepaper §2)', () => {
  it('drops what a peer sends from an address that is not its own', { timeout: 120_000 }, async (t) => {
    const { left, right, leftWireguard, rightWireguard } = await openTunnel(t);
    await assertPings(left, RIGHT.inner4);
    await addAddress(left, leftWireguard.name, '192.168.241.66/24');
    await addAddress(left, leftWireguard.name, 'fd00:bb::66/64');
    const before = await receivedPackets(right, rightWireguard);

    await assertNoPing(left, RIGHT.inner4, { source: '192.168.241.66', count: 3 });
    await assertNoPing(left, RIGHT.inner6, { source: 'fd00:bb::66', count: 3 });

    assert.equal(await receivedPackets(right, rightWireguard), before, 'nothing reached the interface');
    await assertPings(left, RIGHT.inner4, { source: LEFT.inner4 });
    await assertPings(left, RIGHT.inner6, { source: LEFT.inner6 });
  });
});

describe('a socket bound to the interface', () => {
  it('is carried without any route', { timeout: 120_000 }, async (t) => {
    const { left, right, leftWireguard, rightWireguard } = await openTunnel(t);
    await leftWireguard.setPeer({ publicKey: rightWireguard.publicKey, allowedIps: '0.0.0.0/0' });
    await addAddress(right, 'lo', '192.0.2.9/32');

    await assertPings(left, '192.0.2.9', { source: leftWireguard.name });
  });
});

describe('ICMP unreachable', () => {
  it('tells the sender that no peer has the destination', { timeout: 120_000 }, async (t) => {
    const { left } = await openTunnel(t);

    await assertUnreachable(left, '192.168.241.77');
    await assertUnreachable(left, 'fd00:bb::77');
  });

  it('tells the sender that the peer has no endpoint', { timeout: 120_000 }, async (t) => {
    const { left } = await openTunnel(t, { endpointsAt: 'none' });

    await assertUnreachable(left, RIGHT.inner4);
    await assertUnreachable(left, RIGHT.inner6);
  });

  it('reaches a sender behind this host', { timeout: 120_000 }, async (t) => {
    const { lab, left, leftWireguard } = await openTunnel(t);
    const behind = await lab.host('behind');
    await lab.cable([behind, 'eth0'], [left, 'eth7']);
    await addAddresses(
      [behind, 'eth0', '10.7.0.2/24', 'fd00:77::2/64'],
      [left, 'eth7', '10.7.0.1/24', 'fd00:77::1/64'],
    );
    await left.forwards();
    await behind.ip('route add default via 10.7.0.1');
    await behind.ip('-6 route add default via fd00:77::1');
    await leftWireguard.setPeer({ publicKey: generateKeyPair().publicKey, allowedIps: '192.168.241.78/32' });

    await assertUnreachable(behind, '192.168.241.77');
    await assertUnreachable(behind, '192.168.241.78');
    await assertUnreachable(behind, 'fd00:bb::77');
  });
});

for (const outer of [4, 6] as const) {
  describe(`the outer IPv${outer} header`, () => {
    it('marks handshakes AF41, carries ECN and hides DSCP', { timeout: 120_000 }, async (t) => {
      const { lab, left, right } = await openTunnel(t, { outer, endpointsAt: 'left' });
      const capture = await Capture.start(lab, right, 'eth0', `udp port ${PORT}`);

      await assertPings(left, RIGHT.inner4, { count: 1, trafficClass: DSCP_EF });
      await assertPings(left, RIGHT.inner4, { count: 1, trafficClass: DSCP_EF | ECT0 });
      await assertPings(left, RIGHT.inner6, { count: 1, trafficClass: ECT0 });

      const sent = (await capture.stop()).filter((packet) => isFromLeft(packet));
      assert.deepEqual(messageTypes(sent), [1, 4, 4, 4]);
      assert.deepEqual(
        sent.map((packet) => packet.trafficClass),
        [HANDSHAKE_CLASS, 0, ECT0, ECT0],
      );
    });

    it('brings a congestion mark of the path to inner packets that speak ECN', { timeout: 120_000 }, async (t) => {
      const { lab, left, right, rightWireguard } = await openTunnel(t, { outer });
      await assertPings(left, RIGHT.inner4);
      await markCongestion(left, outer);
      const capture = await Capture.start(lab, right, rightWireguard.name, 'icmp[icmptype] == icmp-echo or icmp6');

      await ping(left, RIGHT.inner4, { count: 1, trafficClass: DSCP_EF | ECT0 });
      await ping(left, RIGHT.inner6, { count: 1, trafficClass: ECT0 });
      await ping(left, RIGHT.inner4, { count: 1, trafficClass: DSCP_EF });

      const seen = (await capture.stop()).filter((packet) => packet.family === 4 || packet.bytes[40] === 128);
      assert.deepEqual(
        seen.map((packet) => packet.trafficClass),
        [DSCP_EF | CE, CE, DSCP_EF],
      );
    });
  });
}

async function assertUnreachable(host: Host, address: string): Promise<void> {
  const { stdout, stderr } = await host.attempt('ping', ['-n', '-c', '1', '-W', '3', address]);
  const expected = address.includes(':')
    ? /Destination unreachable: Address unreachable/
    : /Destination Host Unreachable/;
  assert.match(stdout + stderr, expected);
}

async function markCongestion(host: Host, outer: 4 | 6): Promise<void> {
  const field = outer === 4 ? 'ip' : 'ip6';
  await host.nft(`table inet congestion {
    chain postrouting { type filter hook postrouting priority 0; udp dport ${PORT} ${field} ecn set ce; }
  }`);
}

function isFromLeft({ source }: SeenPacket): boolean {
  return source === LEFT.outer4 || source === 'fd0000aa000000000000000000000001';
}

/** Packets that the interface handed to the kernel. */
async function receivedPackets(host: Tunnel['left'], { name }: Wireguard): Promise<number> {
  const [link] = JSON.parse(await host.ip(`-j -s link show dev ${name}`));
  return link.stats64.rx.packets;
}
