import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { Verdict } from '../../../src/core/packets/verdict.js';
import { RowMerger } from '../../../src/netstack/segments/row-merger.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { Flag, type InnerPacketFields, innerPacket, TCP, transportAt, UDP } from '../../addon/inner-packet.js';
import { cut, toSuperPacket } from '../../addon/super-packet.js';

const ROUNDS = 300;
const SEGMENT_BYTES = 100;
const OPTIONS = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);

describe('the joining of rows', () => {
  it('makes of cut packets what they were before they were cut', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = new SeededRandom(seed);
      const wholes = Array.from({ length: 1 + random.integer(8) }, () => randomSegment(random));
      const pieces = wholes.flatMap((whole) => cutUp(whole, 1 + random.integer(1_400)));
      const batch = batchOf(pieces);
      const segments = merge(batch);
      const rows = liveRows(batch);
      assert.equal(rows.length, wholes.length, `seed ${seed}`);
      for (const [i, row] of rows.entries())
        assert.deepEqual(masked(rowBytes(batch, row)), masked(wholes[i]!), `seed ${seed}`);
      const count = rows.reduce((sum, row) => sum + segments[row]!, 0);
      assert.equal(count, pieces.length, `seed ${seed}: segments`);
    }
  });

  it('needs the same headers but for length, identification, number, PSH and checksums', () => {
    for (const version of [4, 6] as const) {
      const [first, second] = pair({ version });
      const tcp = transportAt(first);
      const free = new Set(version === 4 ? [4, 5, 10, 11] : []);
      for (const at of [16, 17]) free.add(tcp + at);
      for (let bit = 0; bit < 8 * (tcp + 20 + OPTIONS.length); bit++) {
        const changed = Uint8Array.from(second);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        const isPush = bit >> 3 === tcp + 13 && 1 << (bit & 7) === Flag.Psh;
        const batch = batchOf([first, changed]);
        merge(batch);
        const isJoined = liveRows(batch).length === 1;
        assert.equal(isJoined, free.has(bit >> 3) || isPush, `IPv${version}, byte ${bit >> 3}, bit ${bit & 7}`);
      }
    }
  });

  it('leaves alone what is no plain segment of TCP with data', () => {
    const make = (change: Partial<InnerPacketFields>): [Uint8Array, Uint8Array] => pair({ version: 4, ...change });
    const fragment = make({ fragmentOffset: 1 });
    for (const packets of [
      make({ protocol: UDP }),
      make({ flags: Flag.Ack | Flag.Fin }),
      make({ flags: Flag.Ack | Flag.Urg }),
      make({ flags: Flag.Ack | Flag.Ece }),
      make({ flags: Flag.Syn }),
      make({ extension: new Uint8Array(4).fill(1) }),
      make({ version: 6, extension: new Uint8Array(8) }),
      make({ payload: new Uint8Array(0) }),
      fragment,
      [Uint8Array.of(0x45), Uint8Array.of(0x60)],
    ]) {
      const batch = batchOf(packets);
      const segments = merge(batch);
      assert.deepEqual([...segments.subarray(0, 2)], [1, 1]);
      assert.deepEqual([rowBytes(batch, 0), rowBytes(batch, 1)], packets.map(Buffer.from));
    }
  });

  it('ends a run with PSH, with a short segment, with a gap and at 65,535 bytes', () => {
    const whole = segment({ version: 4, payload: new Uint8Array(1_000) });
    const pieces = cutUp(whole, SEGMENT_BYTES);
    assert.deepEqual(lengthsOf(pieces), [1_000]);
    const pushed = pieces.map((piece, i) => (i === 3 ? withPush(piece) : piece));
    assert.deepEqual(lengthsOf(pushed), [400, 600]);
    assert.deepEqual(lengthsOf([...pieces.slice(0, 4), ...pieces.slice(5)]), [400, 500]);
    assert.deepEqual(lengthsOf([pieces[1]!, pieces[0]!]), [100, 100]);
    const uneven = cutUp(whole, 300);
    const next = segment({ version: 4, payload: new Uint8Array(300), sequence: 1_000 });
    assert.deepEqual(lengthsOf([...uneven, next]), [1_000, 300]);
    const long = cutUp(segment({ version: 4, payload: new Uint8Array(65_400) }), 1_000);
    const more = segment({ version: 4, payload: new Uint8Array(900), sequence: 65_000 });
    assert.deepEqual(lengthsOf([...long.slice(0, 65), more]), [65_000, 900]);
  });

  it('takes neither a longer segment nor one without data into a run', () => {
    const short = segment({ version: 4, payload: new Uint8Array(50), sequence: 950 });
    const [long] = pair({ version: 4 });
    assert.deepEqual(lengthsOf([short, long]), [50, 100]);
    const acknowledgment = segment({ version: 4, payload: new Uint8Array(0), sequence: 1_100 });
    assert.deepEqual(lengthsOf([long, acknowledgment]), [100, 0]);
  });

  it('passes over rows without length or with another verdict, and not over other packets', () => {
    const [first, second] = pair({ version: 4 });
    const other = innerPacket({ version: 4, protocol: UDP, payload: new Uint8Array(20) });
    const batch = batchOf([first, other, second]);
    batch.verdict[1] = Verdict.BadTag;
    assert.deepEqual([...merge(batch).subarray(0, 1)], [2]);
    assert.deepEqual(liveRows(batch), [0]);
    assert.deepEqual(lengthsOf([first, other, second]).length, 3);
  });

  it('never moves a payload to the back, nor over a row that it has not seen', () => {
    const [first, second] = pair({ version: 4 });
    const batch = batchOf([second, first]);
    const [at, length] = [batch.offset[0]!, batch.length[0]!];
    batch.offset[0] = batch.offset[1]!;
    batch.length[0] = batch.length[1]!;
    batch.offset[1] = at;
    batch.length[1] = length;
    merge(batch);
    assert.deepEqual([rowBytes(batch, 0), rowBytes(batch, 1)], [Buffer.from(first), Buffer.from(second)]);
  });

  it('leaves rows alone that begin at no multiple of four', () => {
    const [first, second] = pair({ version: 4 });
    for (const moved of [0, 1]) {
      const batch = batchOf([first, second]);
      const from = batch.offset[moved]!;
      batch.bytes.copyWithin(from + 2, from, from + batch.length[moved]!);
      batch.offset[moved]! += 2;
      merge(batch);
      assert.deepEqual(liveRows(batch), [0, 1]);
    }
  });
});

/** A packet whose checksum of TCP is 0, as that of a joined one has to be taken. */
function masked(packet: Uint8Array): Buffer {
  const copy = Buffer.from(packet);
  copy.fill(0, transportAt(packet) + 16, transportAt(packet) + 18);
  return copy;
}

function segment(fields: Partial<InnerPacketFields> & { version: 4 | 6; payload: Uint8Array }): Uint8Array {
  return innerPacket({ protocol: TCP, options: OPTIONS, ...fields });
}

/** PSH at its end keeps it from what follows. */
function randomSegment(random: SeededRandom): Uint8Array {
  return segment({
    version: random.pick([4, 6] as const),
    payload: random.bytes(1 + random.integer(20_000)),
    host: 1 + random.integer(3),
    sequence: random.next32() >>> 0,
    flags: Flag.Ack | Flag.Psh,
    options: random.bytes(4 * random.integer(11)),
  });
}

function cutUp(whole: Uint8Array, segmentBytes: number): Uint8Array[] {
  const copy = whole.slice();
  return cut(toSuperPacket(copy, TCP, segmentBytes), copy);
}

/** Two successive segments, if the fields make them segments. */
function pair(fields: Partial<InnerPacketFields> & { version: 4 | 6 }): [Uint8Array, Uint8Array] {
  const payload = fields.payload ?? new Uint8Array(SEGMENT_BYTES).fill(7);
  const make = (sequence: number): Uint8Array => segment({ ...fields, payload, sequence });
  return [make(1_000), make(1_000 + payload.length)];
}

function withPush(packet: Uint8Array): Uint8Array {
  const copy = packet.slice();
  copy[transportAt(packet) + 13]! |= Flag.Psh;
  return copy;
}

function batchOf(packets: readonly Uint8Array[]): PacketBatch {
  const batch = new PacketBatch(
    packets.length,
    packets.reduce((sum, packet) => sum + packet.length + 64, 64),
  );
  for (const packet of packets) batch.bytes.set(packet, batch.offset[batch.appendRow(packet.length)]);
  return batch;
}

function merge(batch: PacketBatch): Uint16Array {
  const segments = new Uint16Array(batch.capacity);
  new RowMerger().merge(batch, segments);
  return segments;
}

function liveRows(batch: PacketBatch): number[] {
  const rows = Array.from({ length: batch.count }, (_, row) => row);
  return rows.filter((row) => batch.verdict[row] === Verdict.Pass && batch.length[row]! > 0);
}

/** The payload of each row, after joining. */
function lengthsOf(packets: readonly Uint8Array[]): number[] {
  const batch = batchOf(packets);
  merge(batch);
  return liveRows(batch).map((row) => batch.length[row]! - 40 - OPTIONS.length);
}

function rowBytes(batch: PacketBatch, row: number): Buffer {
  return Buffer.from(batch.bytes.slice(batch.offset[row], batch.offset[row]! + batch.length[row]!));
}
