import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PacketBatch } from '../../src/core/packet-batch.js';
import { Verdict } from '../../src/core/verdict.js';
import {
  A_INNER,
  A_INNER6,
  A_OUTER,
  B_INNER,
  B_INNER6,
  B_OUTER,
  forget,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
  textPacket,
} from './couple.js';
import { internetChecksum, ipPacket, packetTrafficClass } from './ip-packet.js';
import { scenario } from './scenario.js';
import { NODE_INNER, padded, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { sealMessage } from './scripted-peer.js';
import {
  HANDSHAKE_TRAFFIC_CLASS,
  MAX_STAGED_PACKETS,
  REJECT_AFTER_MESSAGES,
  REKEY_AFTER_MESSAGES,
  REPLAY_WINDOW,
} from './whitepaper.js';

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

describe('Counters', () => {
  scenario('start at 0 and count up by one, all 64 bits of them (§5.4.6)', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b, bOfA } = couple;
    a.sendPackets([packetFromA('1'), packetFromA('2'), packetFromA('3')]);
    world.advance(0);
    assert.deepEqual(seenCounters(world.network.eve.seen('transportData', A_OUTER)), [1n, 2n, 3n]);

    const keypair = bOfA.keypairs.current!;
    keypair.sendHigh = 0x00ff_ffff;
    keypair.sendLow = 0xffff_fffe;
    forget(world, couple);
    a.sendPackets(['x', 'y', 'z', 'w'].map(packetFromA));
    world.advance(0);
    const start = 0x00ff_ffff_ffff_fffen;
    assert.deepEqual(
      seenCounters(world.network.eve.seen('transportData', A_OUTER)),
      [0n, 1n, 2n, 3n].map((i) => start + i),
    );
    assert.deepEqual(receivedTexts(b), ['x', 'y', 'z', 'w']);
  });

  for (const [who, outer] of [
    ['initiator', A_OUTER],
    ['responder', B_OUTER],
  ] as const) {
    scenario(`at REKEY_AFTER_MESSAGES make the ${who} start a new handshake (§6.2)`, (world) => {
      const { a, b, bOfA, aOfB } = makeConnectedCouple(world);
      world.advance(10_000); // REKEY_TIMEOUT after the last handshake
      const peer = who === 'initiator' ? bOfA : aOfB;
      setSendCounter(peer.keypairs.current!, REKEY_AFTER_MESSAGES - 2n);
      const send = (): void => (who === 'initiator' ? a.sendPacket(packetFromA('x')) : b.sendPacket(packetFromB('x')));
      send();
      assert.equal(world.network.eve.seen('initiation', outer).length, 0);
      send();
      assert.equal(world.network.eve.seen('initiation', outer).length, 1);
    });

    scenario(`at REJECT_AFTER_MESSAGES are used no more by the ${who}: packets wait (§6.2)`, (world) => {
      const { a, b, bOfA, aOfB } = makeConnectedCouple(world);
      world.advance(10_000);
      const peer = who === 'initiator' ? bOfA : aOfB;
      const node = who === 'initiator' ? a : b;
      world.network.partition(A_OUTER, B_OUTER);
      world.network.eve.clear();
      setSendCounter(peer.keypairs.current!, REJECT_AFTER_MESSAGES - 1n);
      for (let i = 0; i < 3; i++) node.sendPacket(who === 'initiator' ? packetFromA('x') : packetFromB('x'));
      assert.deepEqual(seenCounters(world.network.eve.seen('transportData', outer)), [REJECT_AFTER_MESSAGES - 1n]);
      assert.equal(node.device.counters.verdicts[Verdict.Staged], 2 + Number(who === 'initiator'));

      world.network.heal();
      world.advance(6_000);
      assert.equal(receivedTexts(who === 'initiator' ? b : a).length, 2, 'the one that was sealed is lost');
    });
  }

  scenario('that come are accepted up to REJECT_AFTER_MESSAGES − 1, and none wraps around (§6.2)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, REJECT_AFTER_MESSAGES - 1n, 'last');
    for (const counter of [REJECT_AFTER_MESSAGES, REJECT_AFTER_MESSAGES + 1n, 2n ** 64n - 1n, 0n, 1n])
      link.sendText(session, counter, 'refused');
    assert.deepEqual(receivedTexts(link.node), ['last']);
    assert.equal(link.peer.counters.verdicts[Verdict.Replayed], 5);
  });

  scenario('that jump far ahead cost no time, and move the window (§5.4.6)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    const startMs = performance.now();
    for (const counter of [0n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n]) link.sendText(session, counter, `${counter}`);
    link.sendText(session, 2n ** 53n + 2n, 'behind the window');
    assert.ok(performance.now() - startMs < 1_000);
    assert.equal(link.node.received.length, 4);
  });

  scenario(`are accepted once each, in any order within ${REPLAY_WINDOW} (§5.4.6)`, (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, BigInt(REPLAY_WINDOW), 'newest');
    link.sendText(session, 0n, 'oldest');
    link.sendText(session, 5n, 'between');
    for (const again of [0n, 5n, BigInt(REPLAY_WINDOW)]) link.sendText(session, again, 'again');
    link.sendText(session, BigInt(REPLAY_WINDOW + 2), 'next');
    link.sendText(session, 1n, 'too old');
    assert.deepEqual(receivedTexts(link.node), ['newest', 'oldest', 'between', 'next']);
  });

  scenario('of forged messages do not move the window (§5.4.6)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, 0n, 'one');
    const forged = sealMessage(session, 1_000_000n, padded(textPacket(SCRIPTED_INNER, NODE_INNER, 'forged')));
    forged[forged.length - 1]! ^= 1;
    link.send(forged);
    link.sendText(session, 1n, 'two');
    assert.deepEqual(receivedTexts(link.node), ['one', 'two']);
  });
});

describe('Packets without a session', () => {
  scenario('are kept, 128 for a peer, the oldest dropped, and go out in order (kernel)', (world) => {
    const { a, b } = makeCouple(world);
    const count = MAX_STAGED_PACKETS + 10;
    a.sendPackets(Array.from({ length: count }, (_, i) => packetFromA(`${i}`)));
    world.advance(0);
    assert.deepEqual(
      receivedTexts(b),
      Array.from({ length: MAX_STAGED_PACKETS }, (_, i) => `${i + 10}`),
    );
    assert.equal(a.device.counters.verdicts[Verdict.StagedOverflow], 10);
  });

  scenario('keep their order with those that come when the session is there', (world) => {
    const { a, b } = makeCouple(world);
    world.network.setConditions({ delayMs: 10 });
    for (let i = 0; i < 60; i++) {
      a.sendPackets([packetFromA(`${2 * i}`), packetFromA(`${2 * i + 1}`)]);
      world.advance(1);
    }
    world.advance(100);
    assert.deepEqual(
      receivedTexts(b),
      Array.from({ length: 120 }, (_, i) => `${i}`),
    );
  });

  scenario('keep it as well while only some of them fit out at once', (world) => {
    const link = new ScriptedLink(world);
    const { node } = link;
    node.setPeer(link.script.staticPublic, { endpoint: link.address });
    node.sendPackets(Array.from({ length: 60 }, (_, i) => bigPacketTo(SCRIPTED_INNER, i)));
    world.advance(0);
    const initiation = link.lastReceived(1);
    link.script.consumeInitiation(initiation);
    const { message } = link.script.createResponse(initiation, { ephemeralPrivate: world.random.bytes(32) });

    const inbound = batchOf(message, link.address.toEndpoint().words);
    node.device.classify(inbound, world.nowMs);
    node.device.admit(inbound, world.nowMs);
    node.device.expire(world.nowMs);
    const { outbox } = node.device;
    assert.ok(outbox.count > 0 && outbox.count < 60, `${outbox.count} went out`);

    const late = batchOf(bigPacketTo(SCRIPTED_INNER, 60), link.address.toEndpoint().words);
    node.device.route(late, world.nowMs);
    assert.equal(late.verdict[0], Verdict.Staged, 'behind those that wait');
  });

  scenario('are dropped and counted when the handshake is given up (§6.4)', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPackets(['x', 'y', 'z'].map(packetFromA));
    world.advance(120_000);
    assert.equal(a.device.counters.verdicts[Verdict.HandshakeGivenUp], 3);
    assert.equal(bOfA.counters.verdicts[Verdict.HandshakeGivenUp], 3);
  });

  scenario('of any size go out: 128 of 65,000 bytes do not overflow anything', (world) => {
    const { a, b } = makeCouple(world);
    const packets = Array.from({ length: MAX_STAGED_PACKETS }, (_, i) => packetOf(65_000 - i));
    a.sendPackets(packets);
    world.advance(0);
    assert.deepEqual(
      b.received.map(({ length }) => length),
      packets.map(({ length }) => length),
    );
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

function bigPacketTo(destination: string, fill: number): Uint8Array {
  return ipPacket({ source: A_INNER, destination, payload: new Uint8Array(60_000).fill(fill) });
}

function batchOf(bytes: Uint8Array, endpointWords: Int32Array): PacketBatch {
  const batch = new PacketBatch(1, 128 * 1024);
  const row = batch.appendRow(bytes.length);
  batch.bytes.set(bytes, batch.offset[row]);
  batch.setEndpoint(row, endpointWords, 0);
  return batch;
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

function seenCounters(seen: readonly { datagram: { bytes: Uint8Array } }[]): bigint[] {
  return seen.map(({ datagram }) => Buffer.from(datagram.bytes).readBigUInt64LE(8));
}

function setSendCounter(keypair: { sendHigh: number; sendLow: number }, counter: bigint): void {
  keypair.sendHigh = Number(counter >> 32n);
  keypair.sendLow = Number(counter & 0xffff_ffffn);
}
