import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { BLOCK_BYTES } from '../../src/netstack/block-pool.js';
import { type Segmenter, SuperSegment } from '../../src/netstack/segments/segmenter.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { Flag, type InnerPacketFields, innerPacket, TCP, transportAt } from '../addon/inner-packet.js';
import { cut, toSuperPacket } from '../addon/super-packet.js';

const HEADROOM_BYTES = 16;
const TAILROOM_BYTES = 32;
const RANDOM_RUNS = 300;
/** Room for every run of these tests. */
const AMPLE_ROWS = 2_048;
const AMPLE_BYTES = 4 << 20;

/** A run and the packets that it stands for. */
interface Sample {
  readonly run: SuperSegment;
  readonly packets: readonly Uint8Array[];
}

/** Tests the contract of the `Segmenter` port. */
export function describeSegmenter(name: string, makeSegmenter: () => Segmenter): void {
  describe(`${name} as Segmenter`, () => {
    it('cuts as a network card would: lengths, numbers, checksums, of both families', () => {
      const segmenter = makeSegmenter();
      for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
        const { run, packets } = randomSample(seed);
        const batch = new PacketBatch(AMPLE_ROWS, AMPLE_BYTES);
        assert.equal(segmenter.split(run, batch), run.payloadBytes, `seed ${seed}`);
        assertRows(batch, 0, packets, seed);
      }
    });

    it('stops when the batch is full, and returns the bytes that have a row (row 71)', () => {
      const segmenter = makeSegmenter();
      for (let seed = 1; seed <= RANDOM_RUNS; seed++) {
        const { run, packets } = randomSample(seed);
        const random = new SeededRandom(seed);
        const batch = new PacketBatch(1 + random.integer(9), 1_700 + random.integer(20_000));
        const taken = segmenter.split(run, batch);
        assert.equal(taken, Math.min(batch.count * run.segmentBytes, run.payloadBytes), `seed ${seed}`);
        assertRows(batch, 0, packets.slice(0, batch.count), seed);
        const next = packets[batch.count];
        assert.ok(next === undefined || batch.appendRow(next.length) < 0, `seed ${seed}: a row was left free`);
      }
    });

    it('takes nothing when there is no room for the first segment', () => {
      const batch = new PacketBatch(4, 500);
      const { run } = makeSample({ version: 4, protocol: TCP, payload: new Uint8Array(1_000) }, 1_000, 0);
      assert.equal(makeSegmenter().split(run, batch), 0);
      assert.equal(batch.count, 0);
    });

    it('appends behind the rows that are there, with head-room and tail-room', () => {
      const { run, packets } = makeSample({ version: 6, protocol: TCP, payload: new Uint8Array(9_000) }, 999, 77);
      const batch = new PacketBatch(64, 1 << 18);
      const row = batch.appendRow(61);
      batch.bytes.fill(0xee, batch.offset[row], batch.offset[row]! + 61);
      makeSegmenter().split(run, batch);
      assertRows(batch, 1, packets, 0);
      assert.ok(rowBytes(batch, 0).every((byte) => byte === 0xee));
      assertLayout(batch);
    });

    it('sets CWR in the first segment only, PSH and FIN in the last one (RFC 3168 §6.1.2)', () => {
      const flags = Flag.Ack | Flag.Fin | Flag.Psh | Flag.Cwr | Flag.Ece;
      const { run } = makeSample({ version: 4, protocol: TCP, payload: new Uint8Array(3_000), flags }, 1_000, 0);
      const batch = new PacketBatch(8, 8_192);
      makeSegmenter().split(run, batch);
      const seen = Array.from({ length: batch.count }, (_, row) => rowBytes(batch, row)[33]);
      assert.deepEqual(seen, [
        Flag.Ack | Flag.Ece | Flag.Cwr,
        Flag.Ack | Flag.Ece,
        Flag.Ack | Flag.Ece | Flag.Fin | Flag.Psh,
      ]);
    });

    it('writes a checksum of zero as 65,535, as the kernel does', () => {
      const fields = { version: 4, protocol: TCP, payload: new Uint8Array(2) } as const;
      const { packets } = makeSample(fields, 2, 0);
      // The complement of the sum, as payload, makes the sum all ones.
      const payload = packets[0]!.slice(36, 38);
      const batch = new PacketBatch(1, 256);
      makeSegmenter().split(makeSample({ ...fields, payload }, 2, 0).run, batch);
      assert.deepEqual([...rowBytes(batch, 0).subarray(36, 38)], [0xff, 0xff]);
    });

    it('cuts runs of more than 65,535 bytes', () => {
      const segmenter = makeSegmenter();
      const { run } = makeSample({ version: 4, protocol: TCP, payload: new Uint8Array(60_000) }, 1_368, 5_000);
      const blocks = Array.from({ length: 20 }, (_, i) => new Uint8Array(BLOCK_BYTES).fill(i));
      run.locate(blocks, 5_000, 250_000);
      const batch = new PacketBatch(256, 1 << 20);
      assert.equal(segmenter.split(run, batch), 250_000);
      const expected = Buffer.concat(blocks).subarray(5_000, 255_000);
      const payloads = Array.from({ length: batch.count }, (_, row) => rowBytes(batch, row).subarray(run.headerBytes));
      assert.deepEqual(Buffer.concat(payloads), expected);
    });
  });
}

/** A run of any shape, anywhere in its blocks. */
export function randomSample(seed: number): Sample {
  const random = new SeededRandom(seed);
  const isTiny = random.chance(0.2);
  const options = random.bytes(4 * random.integer(11));
  const payload = random.bytes(1 + random.integer(isTiny ? 60 : 50_000));
  const fields: InnerPacketFields = {
    version: random.pick([4, 6] as const),
    protocol: TCP,
    payload,
    options,
    sequence: random.next32() >>> 0,
    acknowledgement: random.next32() >>> 0,
    window: random.integer(65_536),
    flags: Flag.Ack | random.pick([0, Flag.Psh, Flag.Psh | Flag.Fin, Flag.Cwr, Flag.Ece]),
    trafficClass: random.integer(256),
    hopLimit: random.integer(256),
    identification: random.integer(65_536),
  };
  return makeSample(fields, 1 + random.integer(isTiny ? 9 : 1_400), random.integer(3 * BLOCK_BYTES));
}

/** @param offset Where the payload begins in the blocks. */
function makeSample(fields: InnerPacketFields, segmentBytes: number, offset: number): Sample {
  const packet = innerPacket(fields);
  const at = transportAt(packet);
  const run = new SuperSegment();
  run.headerBytes = packet.length - fields.payload.length;
  run.segmentBytes = segmentBytes;
  run.header.set(packet.subarray(0, run.headerBytes));
  run.header.fill(0, at + 16, at + 18);
  run.locate(blocksOf(fields.payload, offset), offset, fields.payload.length);
  return { run, packets: cut(toSuperPacket(packet, TCP, segmentBytes), packet) };
}

function blocksOf(payload: Uint8Array, offset: number): Uint8Array[] {
  const count = Math.ceil((offset + payload.length) / BLOCK_BYTES);
  const all = new Uint8Array(count * BLOCK_BYTES).fill(0xa5);
  all.set(payload, offset);
  return Array.from({ length: count }, (_, i) => all.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
}

function assertRows(batch: PacketBatch, from: number, packets: readonly Uint8Array[], seed: number): void {
  assert.equal(batch.count - from, packets.length, `seed ${seed}: number of rows`);
  for (const [i, packet] of packets.entries())
    assert.deepEqual(rowBytes(batch, from + i), Buffer.from(packet), `seed ${seed}, packet ${i}`);
}

function assertLayout(batch: PacketBatch): void {
  let end = 0;
  for (let row = 0; row < batch.count; row++) {
    const start = batch.offset[row]! - HEADROOM_BYTES;
    assert.ok(start >= end && start % 16 === 0, `row ${row} starts at ${start}, after ${end}`);
    end = batch.offset[row]! + batch.length[row]! + TAILROOM_BYTES;
    assert.deepEqual([batch.verdict[row], batch.keySlot[row], batch.trafficClass[row]], [0, -1, 0]);
  }
  assert.ok(end <= batch.bytes.length);
}

function rowBytes(batch: PacketBatch, row: number): Buffer {
  return Buffer.from(batch.bytes.buffer as ArrayBuffer, batch.offset[row], batch.length[row]);
}
