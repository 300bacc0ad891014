import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { Simulation } from '../../src/sim/simulation.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { A_INNER, B_INNER, makeConnectedCouple } from '../sim/couple.js';
import { ipPacket } from '../sim/ip-packet.js';

const ROWS = 128;
const WARM_UP_ROUNDS = 2_000;
const ROUNDS = 200;
const MEASUREMENTS = 15;
const SLOT_BYTES = 2_048;
const PACKET_BYTES = 1_420;
/** A boxed number, the least that a row can cost, takes 16 bytes. The compiler at work in the background takes up to 2. */
const MAX_BYTES_PER_PACKET = 4;

const gc = globalThis.gc;
const skip = gc === undefined ? 'needs --expose-gc' : false;

describe('A packet costs no heap', () => {
  it('on its way in: classify and admit', { skip }, () => {
    const { a, aOfB, b } = makeConnectedCouple(new Simulation({ seed: 1, isSwift: true }));
    const localIndex = aOfB.keypairs.current!.localIndex;
    const endpoint = a.address().toEndpoint(b.host.addresses[0]);
    const batch = new PacketBatch(ROWS, ROWS * SLOT_BYTES);
    const packet = ipPacket({ source: A_INNER, destination: B_INNER, payload: new Uint8Array(PACKET_BYTES - 20) });
    const view = new DataView(batch.bytes.buffer);
    let counter = 1_000;

    // The AEAD stage is left out: the rows are taken as opened.
    const receive = (): void => {
      batch.count = ROWS;
      batch.endpointCount = 0;
      for (let row = 0; row < ROWS; row++) {
        const at = row * SLOT_BYTES;
        batch.offset[row] = at;
        batch.length[row] = 32 + PACKET_BYTES;
        batch.verdict[row] = Verdict.Pass;
        batch.trafficClass[row] = 0;
        batch.setEndpoint(row, endpoint.words, 0);
        view.setUint32(at, 4, true);
        view.setInt32(at + 4, localIndex, true);
        view.setUint32(at + 8, counter++, true);
        view.setUint32(at + 12, 0, true);
        batch.bytes.set(packet, at + 16);
      }
      b.device.classify(batch, b.nowMs);
      b.device.admit(batch, b.nowMs);
    };

    const perPacket = heapBytesPerRound(receive) / ROWS;
    assert.ok(batch.verdict.every((verdict) => verdict === Verdict.Pass));
    assert.ok(perPacket < MAX_BYTES_PER_PACKET, `${perPacket.toFixed(2)} bytes per packet`);
  });

  it('on its way out: route', { skip }, () => {
    const { a } = makeConnectedCouple(new Simulation({ seed: 1, isSwift: true }));
    const perPacket = heapBytesPerRound(routeRound(a, A_INNER, B_INNER)) / ROWS;
    assert.ok(perPacket < MAX_BYTES_PER_PACKET, `${perPacket.toFixed(2)} bytes per packet`);
  });

  it('when it goes to and fro: timers move with every packet', { skip }, () => {
    const { a, b, aOfB } = makeConnectedCouple(new Simulation({ seed: 1, isSwift: true }));
    const route = routeRound(b, B_INNER, A_INNER);
    const keepalive = new PacketBatch(1, SLOT_BYTES);
    const view = new DataView(keepalive.bytes.buffer);
    const endpoint = a.address().toEndpoint(b.host.addresses[0]);
    let counter = 1_000;
    const round = (): void => {
      route();
      keepalive.count = 1;
      keepalive.endpointCount = 0;
      keepalive.offset[0] = 0;
      keepalive.length[0] = 32;
      keepalive.verdict[0] = Verdict.Pass;
      keepalive.setEndpoint(0, endpoint.words, 0);
      view.setUint32(0, 4, true);
      view.setInt32(4, aOfB.keypairs.current!.localIndex, true);
      view.setUint32(8, counter++, true);
      b.device.classify(keepalive, b.nowMs);
      b.device.admit(keepalive, b.nowMs);
      assert.equal(keepalive.verdict[0], Verdict.Keepalive);
    };
    const perPacket = heapBytesPerRound(round) / ROWS;
    assert.ok(perPacket < MAX_BYTES_PER_PACKET, `${perPacket.toFixed(2)} bytes per packet`);
  });

  it('or this would be seen: an object per packet', { skip }, () => {
    let last: unknown;
    const perPacket = heapBytesPerRound(() => {
      for (let row = 0; row < ROWS; row++) last = { row };
    });
    assert.ok(perPacket / ROWS > MAX_BYTES_PER_PACKET && last !== undefined);
  });
});

/** Sends full batches, and throws them away. */
function routeRound(node: TunnelNode, source: string, destination: string): () => void {
  const batch = new PacketBatch(ROWS, ROWS * SLOT_BYTES);
  const packet = ipPacket({ source, destination, payload: new Uint8Array(PACKET_BYTES - 20) });
  return () => {
    batch.clear();
    for (let row = 0; row < ROWS; row++) {
      batch.appendRow(packet.length);
      batch.bytes.set(packet, batch.offset[row]);
    }
    node.device.route(batch, node.nowMs);
    assert.equal(batch.verdict[ROWS - 1], Verdict.Pass);
  };
}

/** The least of several measurements, each too short for the young generation to be collected in between: what the code itself takes. */
function heapBytesPerRound(round: () => void): number {
  for (let i = 0; i < WARM_UP_ROUNDS; i++) round(); // lets the compiler settle
  const measured = Array.from({ length: MEASUREMENTS }, () => {
    gc!();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < ROUNDS; i++) round();
    return (process.memoryUsage().heapUsed - before) / ROUNDS;
  });
  // A negative number shows that the collector ran nevertheless.
  return Math.min(...measured.filter((bytes) => bytes >= 0));
}
