import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import {
  A_INNER,
  A_INNER6,
  A_OUTER,
  B_INNER,
  B_INNER6,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  textPacket,
} from './couple.js';
import { internetChecksum, ipPacket, packetTrafficClass } from './ip-packet.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { sealMessage } from './scripted-peer.js';
import { HANDSHAKE_TRAFFIC_CLASS } from './whitepaper.js';

const NOT_CAPABLE = 0;
const CAPABLE_1 = 1;
const CAPABLE_0 = 2;
const CONGESTED = 3;

describe('Packets', () => {
  scenario('are padded to a multiple of 16, and the padding does not come out again (§5.4.6)', (world) => {
    const { a, b } = makeConnectedCouple(world);
    const packets = Array.from({ length: 100 }, (_, i) => packetOf(20 + 13 * i));
    a.sendPackets(packets);
    world.advance(0);
    assert.deepEqual(b.received, packets);
    for (const { datagram } of world.network.eve.seen('transportData')) assert.equal(datagram.bytes.length % 16, 0);
  });

  for (const [mtu, lengthBytes, expected] of [
    [1_420, 1_420, 1_420],
    [1_420, 1_419, 1_420],
    [1_420, 1_408, 1_408],
    [1_420, 1_401, 1_408],
    [68, 68, 68],
    [68, 60, 64],
    [68, 65, 68],
    [0, 1_401, 1_408],
    [65_535, 1_401, 1_408],
    [65_535, 65_440, 65_440],
    [65_535, 65_455, 65_455],
  ] as const) {
    scenario(
      `of ${lengthBytes} bytes take ${expected} when the MTU is ${mtu}: padding stops at the MTU (§5.4.6)`,
      (world) => {
        const { a, b } = makeConnectedCouple(world);
        a.device.setMtu(mtu);
        a.sendPacket(packetOf(lengthBytes));
        world.advance(0);
        const { bytes } = world.network.eve.last('transportData');
        assert.deepEqual([bytes.length, b.received[0]?.length], [32 + expected, lengthBytes]);
      },
    );
  }

  for (const mtu of [0, 68, 65_535]) {
    scenario(`and keepalives flow with an MTU of ${mtu}, persistent keepalive included`, (world) => {
      const { a, b } = makeCouple(world, { aboutB: { persistentKeepaliveSeconds: 5 } });
      for (const node of [a, b]) node.device.setMtu(mtu);
      for (let i = 0; i < 20; i++) {
        a.sendPacket(packetOf(20 + i));
        world.advance(7_000);
      }
      assert.equal(b.received.length, 20);
      assert.ok(world.network.eve.seen('transportData', A_OUTER).length > 35);
    });
  }

  scenario('of every length from 20 to 2,000 bytes arrive whole, IPv4 and IPv6 by turns', (world) => {
    const { a, b } = makeConnectedCouple(world);
    const packets: Uint8Array[] = [];
    for (let length = 40; length < 2_000; length++)
      packets.push(length % 2 === 0 ? packetOf(length) : packetOf6(length));
    a.sendPackets(packets);
    world.advance(0);
    assert.deepEqual(b.received, packets);
  });

  scenario('that no packets are reach nobody: too short, lying about their length, version 0, 5, 7', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    const good = textPacket(SCRIPTED_INNER, NODE_INNER, 'payload');
    const lies = [
      ...[0x05, 0x55, 0x75, 0xf5].map((first) => withByte(good, 0, first)),
      withByte(good, 0, 0x44),
      withByte(good, 0, 0x4f),
      withByte(good, 3, good.length + 17),
      withByte(good, 2, 0xff),
      withByte(good, 3, 19),
      good.slice(0, 19),
      Uint8Array.of(0x45),
      withByte(packetOf6(60), 5, 21),
      packetOf6(60).slice(0, 39),
    ];
    for (const [i, packet] of lies.entries()) link.send(sealMessage(session, BigInt(i), packet));
    assert.equal(link.node.received.length, 0);
    assert.equal(link.node.device.counters.verdicts[Verdict.MalformedPacket], lies.length);
    assert.equal(link.peer.counters.verdicts[Verdict.MalformedPacket], lies.length);

    link.node.sendPackets([...lies, new Uint8Array(0)]);
    assert.equal(link.node.device.counters.verdicts[Verdict.MalformedPacket], 2 * lies.length + 1);
  });

  scenario('are counted by the byte: a message of 32 bytes of overhead, a handshake whole', (world) => {
    const { a, b, bOfA, aOfB } = makeCouple(world);
    a.sendPacket(packetOf(100));
    world.advance(0);
    assert.deepEqual([bOfA.txBytes, bOfA.rxBytes], [148 + 32 + 112, 92]);
    assert.deepEqual([aOfB.txBytes, aOfB.rxBytes], [92, 148 + 32 + 112]);
    b.sendPacket(packetFromB(''));
    world.advance(0);
    assert.deepEqual([bOfA.rxBytes, aOfB.txBytes], [92 + 64, 92 + 64]);
    b.sendPacket(textPacket('10.7.7.7', A_INNER, 'disallowed'));
    world.advance(0);
    assert.equal(bOfA.rxBytes, 92 + 64 + 64, 'the message was authentic');
  });
});

describe('The outer traffic class', () => {
  for (const make of [
    (trafficClass: number) => ipPacket({ source: A_INNER, destination: B_INNER, trafficClass }),
    (trafficClass: number) => ipPacket({ source: A_INNER6, destination: B_INNER6, trafficClass }),
  ]) {
    const family = make(0)[0]! >> 4;
    scenario(`carries the ECN bits of the packet, and no DSCP (RFC 6040, IPv${family})`, (world) => {
      const { a } = makeConnectedCouple(world);
      for (const [inner, outer] of [
        [NOT_CAPABLE, NOT_CAPABLE],
        [CAPABLE_1, CAPABLE_1],
        [CAPABLE_0, CAPABLE_0],
        [CONGESTED, CAPABLE_0],
        [0xb8, NOT_CAPABLE],
        [0xb8 | CAPABLE_0, CAPABLE_0],
        [0xff, CAPABLE_0],
      ] as const) {
        a.sendPacket(make(inner));
        assert.equal(world.network.eve.last('transportData').trafficClass, outer, `inner ${inner}`);
      }
    });

    scenario(`that met congestion marks the packet, if its ends speak ECN (RFC 6040 §4.2, IPv${family})`, (world) => {
      const { a, b } = makeConnectedCouple(world);
      for (const [outer, inner, expected] of [
        [CONGESTED, CAPABLE_0, CONGESTED],
        [CONGESTED, CAPABLE_1, CONGESTED],
        [CONGESTED, 0xb8 | CAPABLE_0, 0xb8 | CONGESTED],
        [CONGESTED, NOT_CAPABLE, NOT_CAPABLE],
        [CONGESTED, CONGESTED, CONGESTED],
        [CAPABLE_0, CAPABLE_0, CAPABLE_0],
        [CAPABLE_1, CAPABLE_0, CAPABLE_1],
        [0xb8, CAPABLE_0, CAPABLE_0],
      ] as const) {
        world.network.interceptor = (datagram) => [{ ...datagram, trafficClass: outer }];
        a.sendPacket(make(inner));
        world.advance(0);
        const packet = b.received.at(-1)!;
        assert.equal(packetTrafficClass(packet), expected, `outer ${outer}, inner ${inner}`);
        if (family === 4) assert.equal(internetChecksum(packet.subarray(0, 20)), 0, 'the checksum was mended');
      }
    });
  }

  scenario('is that of the packet also when it had to wait for the session', (world) => {
    const { a } = makeCouple(world);
    a.sendPacket(ipPacket({ source: A_INNER, destination: B_INNER, trafficClass: 0xb8 | CAPABLE_1 }));
    world.advance(0);
    assert.equal(world.network.eve.last('transportData').trafficClass, CAPABLE_1);
  });

  scenario('of handshake messages is AF41 (kernel)', (world) => {
    const { a } = makeCouple(world);
    a.sendPacket(packetFromA('x'));
    world.advance(0);
    for (const kind of ['initiation', 'response'] as const)
      assert.equal(world.network.eve.last(kind).trafficClass, HANDSHAKE_TRAFFIC_CLASS);
  });
});

function packetOf(lengthBytes: number): Uint8Array {
  return ipPacket({
    source: A_INNER,
    destination: B_INNER,
    payload: new Uint8Array(lengthBytes - 20).fill(lengthBytes),
  });
}

function packetOf6(lengthBytes: number): Uint8Array {
  return ipPacket({
    source: A_INNER6,
    destination: B_INNER6,
    payload: new Uint8Array(lengthBytes - 40).fill(lengthBytes),
  });
}

function withByte(packet: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = packet.slice();
  copy[at] = byte;
  return copy;
}
