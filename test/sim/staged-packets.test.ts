import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import { A_INNER, A_OUTER, B_INNER, B_OUTER, makeCouple, packetFromA, receivedTexts } from './couple.js';
import { ipPacket } from './ip-packet.js';
import { scenario } from './scenario.js';
import { SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { MAX_STAGED_PACKETS, STAGED_BUDGET_BYTES } from './whitepaper.js';

const SILENT_PEERS = 256;

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
    node.device.runDue(world.nowMs);
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

  scenario('take 32 MiB for all peers of a device, and no more: beyond it the newest are dropped', (world) => {
    const { a } = makeCouple(world);
    const peers = Array.from({ length: SILENT_PEERS }, (_, i) => {
      const endpoint = new SocketAddress('203.0.113.1', 1 + i);
      return a.setPeer(world.random.bytes(32), { endpoint, allowedIps: [`10.1.0.${i}/32`] });
    });
    for (let i = 0; i < SILENT_PEERS; i++) {
      const packet = ipPacket({ source: A_INNER, destination: `10.1.0.${i}`, payload: new Uint8Array(1_400) });
      a.sendPackets(new Array(MAX_STAGED_PACKETS).fill(packet));
    }
    const staged = peers.reduce((sum, peer) => sum + peer.staged.count, 0);
    const dropped = a.device.counters.verdicts[Verdict.StagedOverflow]!;
    assert.equal(staged + dropped, SILENT_PEERS * MAX_STAGED_PACKETS);
    assert.ok(staged * 1_420 < STAGED_BUDGET_BYTES && staged * 1_420 > STAGED_BUDGET_BYTES / 4, `${staged} packets`);

    world.advance(200_000);
    assert.equal(a.device.counters.verdicts[Verdict.HandshakeGivenUp], staged);
    a.sendPacket(packetFromA('room again'));
    assert.equal(a.device.counters.verdicts[Verdict.StagedOverflow], dropped);
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

function packetOf(lengthBytes: number): Uint8Array {
  return ipPacket({
    source: A_INNER,
    destination: B_INNER,
    payload: new Uint8Array(lengthBytes - 20).fill(lengthBytes),
  });
}
