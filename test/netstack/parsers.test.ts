import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { BlockPool } from '../../src/netstack/block-pool.js';
import { ByteRanges } from '../../src/netstack/byte-ranges.js';
import { addBytes, finishChecksum } from '../../src/netstack/checksum.js';
import { IpProblem, IpView } from '../../src/netstack/ip/ip-view.js';
import { Reassembler } from '../../src/netstack/ip/reassembler.js';
import { SuperSegment } from '../../src/netstack/segments/segmenter.js';
import { ReceiveQueue } from '../../src/netstack/tcp/receive-queue.js';
import { SendQueue } from '../../src/netstack/tcp/send-queue.js';
import { LOST, SACKED, SendRecords } from '../../src/netstack/tcp/send-records.js';
import { TcpSegment } from '../../src/netstack/tcp/tcp-segment.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { buildSegment } from './raw-peer.js';
import { StackPair } from './stack-pair.js';

/** Bytes that look like a packet of one of the protocols, and then go wrong. */
const packets = fc
  .tuple(
    fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x61, 0x00),
    fc.constantFrom(1, 6, 17, 58, 44, 0, 43, 60, 99),
    fc.uint8Array({ maxLength: 120 }),
    fc.boolean(),
  )
  .map(([first, protocol, rest, isForUs]) => {
    const packet = new Uint8Array(20 + rest.length);
    packet.set(rest, 20);
    packet[0] = first;
    if (first >> 4 === 6) {
      packet[6] = protocol;
      packet[5] = Math.max(packet.length - 40, 0);
    } else {
      packet[2] = packet.length >> 8;
      packet[3] = packet.length;
      packet[9] = protocol;
      if (isForUs) packet.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
    }
    return packet;
  });

describe('the parsers of the stack', () => {
  it('never throw, and leave a stack that works, whatever comes (rows 21, 41)', () => {
    const pair = new StackPair(1);
    fc.assert(
      fc.property(packets, (packet) => {
        pair.b.deliver(packet);
      }),
      { numRuns: 3_000 },
    );
    assert.ok(pair.b.stack.tcp.flowCount <= 2_048);
  });

  it('read any TCP options without a loop, and stay inside of the segment (row 21)', () => {
    const segment = new TcpSegment();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(15), (bytes, words) => {
        const padded = new Uint8Array(100);
        padded.set(bytes, 10);
        padded[22] = words << 4;
        const isSegment = segment.read(padded, 10, bytes.length);
        if (!isSegment) return;
        assert.ok(segment.dataAt >= 30 && segment.dataAt + segment.dataBytes === 10 + bytes.length);
        assert.ok(segment.sackCount <= 4);
      }),
      { numRuns: 3_000 },
    );
  });

  it('walk IPv6 extension headers within the packet', () => {
    const view = new IpView();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 200 }), (bytes) => {
        bytes[0] = 0x60;
        bytes[4] = 0;
        bytes[5] = bytes.length - 40;
        bytes[6] = [0, 43, 60, 44, 6][bytes[6]! % 5]!;
        if (view.read(bytes, 0, bytes.length) !== IpProblem.Ok) return;
        assert.ok(view.payloadAt + view.payloadBytes === bytes.length && view.payloadBytes >= 0);
      }),
      { numRuns: 3_000 },
    );
  });

  it('sum as RFC 1071 does, at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        let sum = 0;
        for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        assert.equal(finishChecksum(addBytes(0, bytes, 0, bytes.length)), ~sum & 0xffff);
      }),
    );
  });
});

describe('fragments', () => {
  it('make the datagram that was cut, in any order and repeated (row 40)', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed);
      const data = random.bytes(1 + random.integer(5_000));
      const parts: { at: number; length: number }[] = [];
      for (let at = 0; at < data.length; ) {
        const length = Math.min(8 * (1 + random.integer(90)), data.length - at);
        parts.push({ at, length });
        at += length;
      }
      if (parts.length > 30) continue;
      const order = [...parts, ...parts.filter(() => random.chance(0.2))].sort(() => random.next() - 0.5);
      const reassembler = new Reassembler();
      let whole: Uint8Array | undefined;
      for (const { at, length } of order) {
        if (whole !== undefined) break;
        whole = reassembler.add(fragmentView(data, at, length), data, 0);
      }
      assert.deepEqual(whole, data, `seed ${seed}`);
      assert.equal(reassembler.count, 0);
    }
  });

  it('are kept within bounds and time', () => {
    const reassembler = new Reassembler();
    const data = new Uint8Array(16);
    for (let id = 0; id < 1_000; id++) reassembler.add(fragmentView(data, 0, 8, id), data, 0);
    assert.ok(reassembler.count <= 64);
    reassembler.expire(30_000);
    assert.equal(reassembler.count, 0);
  });
});

function fragmentView(data: Uint8Array, at: number, length: number, id = 1): IpView {
  const view = new IpView();
  view.version = 4;
  view.protocol = 17;
  view.isFragment = true;
  view.fragmentId = id;
  view.fragmentOffset = at;
  view.hasMoreFragments = at + length < data.length;
  view.payloadAt = at;
  view.payloadBytes = length;
  return view;
}

describe('the queues against plain models', () => {
  it('give the bytes that came, in whatever order they came (row 18)', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const data = random.bytes(60_000);
      const pool = new BlockPool(1 << 20);
      const queue = new ReceiveQueue(pool);
      const has = new Uint8Array(data.length);
      let read = 0;
      for (let step = 0; step < 400 && read < data.length; step++) {
        const from = Math.max(queue.inOrder, read + random.integer(4_000));
        const length = Math.min(1 + random.integer(1_500), data.length - from);
        if (length > 0 && queue.insert(from, data, from, length)) has.fill(1, from, from + length);
        const hole = random.chance(0.3) ? queue.inOrder : -1;
        if (hole >= 0 && hole < data.length) {
          const fill = Math.min(700, data.length - hole);
          assert.ok(queue.insert(hole, data, hole, fill), 'the gap next in order is always taken (row 74)');
          has.fill(1, hole, hole + fill);
        }
        const into = new Uint8Array(random.integer(3_000));
        const count = queue.read(into, 0, into.length);
        assert.deepEqual(into.subarray(0, count), data.subarray(read, read + count), `seed ${seed}`);
        read += count;
      }
      queue.clear();
      assert.equal(pool.usedBytes, 0);
    }
  });

  it('keep bytes to send until they are acknowledged', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new SeededRandom(seed);
      const pool = new BlockPool(1 << 18);
      const queue = new SendQueue(pool);
      let model: number[] = [];
      for (let step = 0; step < 200; step++) {
        const bytes = random.bytes(random.integer(9_000));
        const taken = queue.append(bytes, 0, bytes.length);
        model.push(...bytes.subarray(0, taken));
        assert.equal(queue.length, model.length);
        if (model.length > 0) {
          const at = random.integer(model.length);
          const length = random.integer(model.length - at) + 1;
          const out = new Uint8Array(length);
          const run = new SuperSegment();
          queue.lend(at, length, run);
          run.copyPayload(0, length, out, 0);
          assert.deepEqual([...out], model.slice(at, at + length));
        }
        const drop = random.integer(model.length + 1);
        queue.drop(drop);
        model = model.slice(drop);
      }
      queue.clear();
      assert.equal(pool.usedBytes, 0);
    }
  });

  it('join ranges as a set of numbers does', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 9 })), { maxLength: 30 }), (parts) => {
        const ranges = new ByteRanges();
        const model = new Set<number>();
        for (const [start, length] of parts) {
          ranges.add(start, start + length);
          for (let i = start; i < start + length; i++) model.add(i);
        }
        const members = new Set<number>();
        for (let i = 0; i < ranges.count; i++) {
          if (i > 0) assert.ok(ranges.start(i) > ranges.end(i - 1));
          for (let n = ranges.start(i); n < ranges.end(i); n++) members.add(n);
        }
        assert.deepEqual([...members].sort(), [...model].sort());
      }),
    );
  });

  it('count what is in flight as the sum over the records', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new SeededRandom(seed);
      const records = new SendRecords();
      let next = random.next32() | 0;
      for (let step = 0; step < 300; step++) {
        const index = random.integer(Math.max(records.count, 1));
        const action = random.integer(7);
        if (action <= 1) {
          const end = (next + 1 + random.integer(5_000)) | 0;
          records.append(next, end, step);
          next = end;
        } else if (records.count === 0) continue;
        else if (action === 2) records.markSacked(index);
        else if (action === 3) records.markLost(index);
        else if (action === 4 && records.has(index, LOST)) records.markRetransmitted(index, step);
        else if (action === 5) records.splitAt((records.start(index) + random.integer(records.bytes(index))) | 0);
        else if (action === 6) records.shift();
        checkSums(records);
      }
    }
  });
});

function checkSums(records: SendRecords): void {
  let inFlight = 0;
  let sacked = 0;
  let lost = 0;
  for (let i = 0; i < records.count; i++) {
    if (i > 0) assert.equal(records.start(i), records.end(i - 1));
    assert.ok(records.bytes(i) > 0);
    if (records.has(i, SACKED)) sacked += records.bytes(i);
    else if (records.has(i, LOST)) lost += records.bytes(i);
    else inFlight += records.bytes(i);
  }
  assert.deepEqual([records.inFlight, records.sackedBytes, records.lostBytes], [inFlight, sacked, lost]);
}

describe('hostile segments', () => {
  it('cost a bounded amount: 64 KB of one-byte holes (row 39)', () => {
    const pair = new StackPair(3);
    pair.b.stack.tcp.listen(undefined, 80);
    let flow: { rcvNxt: number } | undefined;
    pair.b.onAccept = (accepted) => {
      flow = accepted;
    };
    pair.b.isRecording = true;
    pair.b.conditions = { filter: () => false };
    pair.b.deliver(buildSegment({ flags: 2, seq: 1 }));
    const batch = new PacketBatch(1, 4_096);
    assert.equal(batch.count, 0);
    const synAck = pair.b.sent.at(-1)!;
    const ack = (new DataView(synAck.buffer).getInt32(24) + 1) | 0;
    pair.b.deliver(buildSegment({ flags: 16, seq: 2, ack }));
    for (let i = 0; i < 20_000; i++)
      pair.b.deliver(buildSegment({ flags: 16, seq: 4 + 2 * i, ack, data: Uint8Array.of(i) }));
    assert.equal(flow?.rcvNxt, 2);
    assert.ok(pair.b.stack.pool.usedBytes <= 131_072);
  });
});
