import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { buildSegment, F, parseSegment, RawPeer, type Reply, type Segment } from './raw-peer.js';
import { StackPair } from './stack-pair.js';

const SEGMENT_BYTES = 1_380;
/** Segments that are acknowledged at once after a connection began. */
const QUICK_ACKS = 16;
const ROUNDS = 60;

describe('a connection that sends in runs', () => {
  it('moves SND.NXT only for rows that were taken, whatever room a batch has (row 71)', () => {
    for (const rows of [1, 2, 3, 7]) {
      const peer = new RawPeer();
      const at = peer.open();
      const data = new SeededRandom(rows).bytes(10 * SEGMENT_BYTES);
      peer.stack.tcp.write(peer.flow!, data, 0, data.length);
      peer.stack.tcp.shutdown(peer.flow!);
      const seen: Reply[] = [];
      for (let batch = read(peer, rows); batch.length > 0; batch = read(peer, rows)) {
        assert.ok(batch.length <= rows);
        seen.push(...batch);
        const end = seen.at(-1)!;
        const isFin = (end.flags & F.FIN) !== 0;
        assert.equal(peer.flow!.sndNxt, (end.seq + end.data.length + (isFin ? 1 : 0)) | 0, `${rows} rows`);
      }
      assertSuccessive(seen, at.ack);
      assert.deepEqual(Buffer.concat(seen.map((reply) => reply.data)), Buffer.from(data));
      assert.equal(seen.filter((reply) => (reply.flags & F.FIN) !== 0).length, 1);
      assert.equal(peer.flow!.records.lostBytes, 0);
    }
  });

  it('cuts at the segment size of now, though a run was under way when the path shrank (row 36)', () => {
    const peer = new RawPeer();
    const at = peer.open();
    const data = new Uint8Array(10 * SEGMENT_BYTES);
    peer.stack.tcp.write(peer.flow!, data, 0, data.length);
    const [first] = readPackets(peer, 3);
    write(peer, [tooBig(first!, 1_280)]);
    const later: Reply[] = [];
    for (let batch = read(peer, 3); batch.length > 0; batch = read(peer, 3)) later.push(...batch);
    assert.ok(later.length > 0 && later.every((reply) => reply.data.length <= 1_240));
    const end = later.reduce((most, { seq, data: { length } }) => Math.max(most, (seq + length - at.ack) | 0), 0);
    assert.ok(end > 3 * SEGMENT_BYTES, `${end} bytes: nothing new was sent`);
  });

  it('sets CWR once, in front of all that follows a congestion mark (RFC 3168 §6.1.2)', () => {
    const peer = new RawPeer();
    peer.listen();
    const options = [2, 4, 0x05, 0x64];
    peer.send({ flags: F.SYN | F.ECE | F.CWR, seq: 0, window: 65_535, options });
    const ack = (peer.reply().seq + 1) | 0;
    peer.send({ flags: F.ACK, seq: 1, ack, window: 65_535 });
    peer.write(new Uint8Array(10));
    peer.send({ flags: F.ACK | F.ECE, seq: 1, ack: (ack + 10) | 0, window: 65_535 });
    peer.replies();
    peer.write(new Uint8Array(4 * SEGMENT_BYTES));
    const seen = peer.replies().map((reply) => (reply.flags & F.CWR) !== 0);
    assert.ok(seen.length > 1, 'the window admits several segments');
    assert.deepEqual(
      seen,
      seen.map((_, i) => i === 0),
    );
    peer.send({ flags: F.ACK, seq: 1, ack: (ack + 10 + seen.length * SEGMENT_BYTES) | 0, window: 65_535 });
    const later = peer.replies();
    assert.ok(later.length > 0 && later.every((reply) => (reply.flags & F.CWR) === 0));
  });

  it('carries the ACK that is owed: none follows by itself', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    peer.stack.tcp.write(peer.flow!, new Uint8Array(10), 0, 10);
    write(peer, run(seq, ack, 2));
    const reply = peer.reply();
    assert.deepEqual([reply.data.length, reply.ack], [10, (seq + 2 * SEGMENT_BYTES) | 0]);
  });
});

describe('segments that arrive in one batch', () => {
  it('are acknowledged once for each connection', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    write(peer, run(seq, ack, 40));
    const reply = peer.reply();
    assert.equal(reply.ack, (seq + 40 * SEGMENT_BYTES) | 0);
    assert.equal(peer.read().length, 40 * SEGMENT_BYTES);
  });

  it('count one by one for the delayed ACK: two are acknowledged at once, one is not (RFC 5681 §4.2)', () => {
    for (const count of [1, 2]) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open();
      write(peer, run(seq, ack, QUICK_ACKS));
      peer.replies();
      write(peer, run((seq + QUICK_ACKS * SEGMENT_BYTES) | 0, ack, count));
      assert.equal(peer.replies().length, count - 1);
    }
  });

  it('give the bytes that were sent, in any order, repeated, overlapping and between others', () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = new SeededRandom(seed);
      const peer = new RawPeer();
      const { seq, ack } = peer.open();
      const data = random.bytes(40_000);
      const received: Uint8Array[] = [];
      const packets = randomSegments(random, data).map(([from, end]) =>
        buildSegment({ flags: F.ACK, seq: (seq + from) | 0, ack, data: data.subarray(from, end) }),
      );
      for (let i = 0; i < packets.length; i += 20) {
        write(peer, packets.slice(i, i + 20));
        received.push(peer.read());
      }
      assert.deepEqual(Buffer.concat(received), Buffer.from(data), `seed ${seed}`);
      assert.equal(peer.stack.pool.usedBytes, 0, `seed ${seed}`);
    }
  });

  it('stay single where checksums are tested', () => {
    const pair = new StackPair(3, {}, { verifies: true });
    let accepted: TcpFlow | undefined;
    pair.b.stack.tcp.listen(undefined, 80);
    pair.b.onAccept = (flow) => {
      accepted = flow;
    };
    const flow = pair.a.connect(80);
    pair.advance(1);
    const data = pair.random.bytes(9_000);
    pair.a.stack.tcp.write(flow, data, 0, data.length);
    const batch = new PacketBatch(64, 1 << 17);
    assert.ok(pair.a.stack.read(batch, pair.a.nowMs) > 1);
    pair.b.stack.write(batch, pair.b.nowMs);
    assert.equal(pair.b.stack.counters.badChecksum, 0);
    assert.equal(accepted!.receiveQueue.unread, data.length);
  });
});

/** Reads at most `rows` packets of the stack. */
function readPackets(peer: RawPeer, rows: number): Uint8Array[] {
  const batch = new PacketBatch(rows, 1 << 17);
  peer.stack.read(batch, peer.nowMs);
  return Array.from({ length: batch.count }, (_, row) =>
    batch.bytes.slice(batch.offset[row], batch.offset[row]! + batch.length[row]!),
  );
}

function read(peer: RawPeer, rows: number): Reply[] {
  return readPackets(peer, rows).map((packet) => parseSegment(packet));
}

/** Hands packets to the stack in one batch. */
function write(peer: RawPeer, packets: readonly Uint8Array[]): void {
  const batch = new PacketBatch(256, 1 << 20);
  for (const packet of packets) batch.bytes.set(packet, batch.offset[batch.appendRow(packet.length)]);
  peer.stack.write(batch, peer.nowMs);
  if (packets[0]![9] === 6) peer.pair.b.pump();
}

/** Successive segments of the same size. */
function run(seq: number, ack: number, count: number): Uint8Array[] {
  const data = new Uint8Array(SEGMENT_BYTES);
  const segment = (i: number): Segment => ({ flags: F.ACK, seq: (seq + i * SEGMENT_BYTES) | 0, ack, data });
  return Array.from({ length: count }, (_, i) => buildSegment(segment(i)));
}

function assertSuccessive(replies: readonly Reply[], first: number): void {
  let next = first;
  for (const { seq, data } of replies) {
    assert.equal(seq, next);
    next = (seq + data.length) | 0;
  }
}

/** Parts of the data that make up all of it: runs of one size, shuffled a little, with repetitions and overlaps. */
function randomSegments(random: SeededRandom, data: Uint8Array): [from: number, end: number][] {
  const parts: [number, number][] = [];
  for (let from = 0; from < data.length; ) {
    const size = 1 + random.integer(1_400);
    for (let i = random.integer(12); i >= 0 && from < data.length; i--) {
      const end = Math.min(from + size, data.length);
      parts.push([from, end]);
      if (random.chance(0.1)) parts.push([Math.max(from - random.integer(3_000), 0), end]);
      from = end;
    }
  }
  for (let i = 1; i < parts.length; i++) {
    const j = Math.max(i - random.integer(random.chance(0.2) ? 8 : 1), 0);
    [parts[i], parts[j]] = [parts[j]!, parts[i]!];
  }
  return parts;
}

/** ICMP "fragmentation needed" that quotes a packet of the stack (RFC 1191 §4). */
function tooBig(packet: Uint8Array, mtu: number): Uint8Array {
  const icmp = new Uint8Array(20 + 8 + 28);
  icmp.set([0x45, 0, 0, icmp.length, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 9, 10, 0, 0, 2]);
  icmp.set([3, 4, 0, 0, 0, 0, mtu >> 8, mtu & 255], 20);
  icmp.set(packet.subarray(0, 28), 28);
  return icmp;
}
