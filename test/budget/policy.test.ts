import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { LAPTOP, laptop, makePolicy, PHONE, packet, phone, tcpSegment } from '../policy/small-gateway.js';

const ROWS = 128;
const WARM_UP_ROUNDS = 2_000;
const ROUNDS = 200;
const MEASUREMENTS = 15;
/** A boxed number, the least that a row can cost, takes 16 bytes. The compiler at work in the background takes up to 2. */
const MAX_BYTES_PER_PACKET = 4;

const gc = globalThis.gc;
const skip = gc === undefined ? 'needs --expose-gc' : false;
const PAYLOAD = tcpSegment(50_000, 22, 1_380);
const LIMITS = { upBitsPerSecond: 1e12, downBitsPerSecond: 1e12, quotaBytes: 1e15 };

describe('A packet costs policy no heap', () => {
  const cases = [
    ['from a device to the Internet', 'inbound', PHONE, '8.8.8.8'],
    ['from the Internet to a device', 'outbound', '8.8.8.8', PHONE],
    ['from device to device', 'inbound', PHONE, LAPTOP],
  ] as const;
  for (const [name, stage, source, destination] of cases)
    it(name, { skip }, () => {
      const policy = makePolicy([phone({ limits: LIMITS }), laptop()]);
      const batch = new PacketBatch(ROWS, ROWS * 2_048);
      const bytes = packet(source, destination, { payload: PAYLOAD });
      let nowMs = 0;
      for (let row = 0; row < ROWS; row++) batch.bytes.set(bytes, batch.offset[batch.appendRow(bytes.length)]);

      const perPacket = heapBytesPerRound(() => policy[stage](batch, nowMs++)) / ROWS;
      assert.ok(batch.verdict.every((verdict) => verdict === Verdict.Pass));
      assert.ok(perPacket < MAX_BYTES_PER_PACKET, `${perPacket.toFixed(2)} bytes per packet`);
    });
});

/** The least of several measurements, each too short for the young generation to be collected in between. */
function heapBytesPerRound(round: () => void): number {
  for (let i = 0; i < WARM_UP_ROUNDS; i++) round();
  const measured = Array.from({ length: MEASUREMENTS }, () => {
    gc!();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < ROUNDS; i++) round();
    return (process.memoryUsage().heapUsed - before) / ROUNDS;
  });
  // A negative number shows that the collector ran nevertheless.
  return Math.min(...measured.filter((bytes) => bytes >= 0));
}
