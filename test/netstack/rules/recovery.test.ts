import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { buildSegment, F, PEER_ISS, RawPeer, type Segment } from '../raw-peer.js';
import { dataOf, MSS_1380, SACK_PERMITTED, sack, sacksOf, stampsOf, timestamps } from './segments.js';

const MSS = 1_380;
/** Resolution of the stack's clock, which a loss waits for. */
const CLOCK_MS = 1;

/** Ten segments in flight, twenty more in the queue, a round trip of 50 ms measured. */
function inFlight(options: readonly number[]): { peer: RawPeer; seq: number; ack: number } {
  const peer = new RawPeer();
  const at = peer.open(options);
  peer.write(new Uint8Array(1));
  peer.replies();
  peer.advance(50);
  at.ack = (at.ack + 1) | 0;
  peer.send({ flags: F.ACK, ...at });
  peer.write(new Uint8Array(30 * MSS));
  assert.equal(dataOf(peer).length, 10);
  peer.advance(50);
  peer.replies();
  return { peer, ...at };
}

function deliverAtOnce(peer: RawPeer, segments: readonly Segment[]): void {
  const batch = new PacketBatch(128, 512 * 1024);
  batch.clear();
  for (const segment of segments) {
    const packet = buildSegment(segment);
    batch.bytes.set(packet, batch.offset[batch.appendRow(packet.length)]);
  }
  peer.stack.write(batch, peer.nowMs);
  peer.pair.b.pump();
}

describe('losses of a peer without SACK', () => {
  it('let one new segment out for each of the first two duplicates (limited transmit, RFC 3042 §2)', () => {
    const { peer, seq, ack } = inFlight(MSS_1380);
    for (const count of [1, 2]) {
      peer.send({ flags: F.ACK, seq, ack });
      const sent = dataOf(peer);
      assert.deepEqual(
        sent.map((reply) => (reply.seq - ack) | 0),
        [(9 + count) * MSS],
      );
    }
    assert.equal(peer.flow!.recovery, 0);
  });

  it('never let out more than one segment for a duplicate in recovery (RFC 9937, RFC 6582 §3.2)', () => {
    const { peer, seq, ack } = inFlight(MSS_1380);
    let sent = 0;
    for (let i = 1; i <= 9; i++) {
      peer.send({ flags: F.ACK, seq, ack });
      const now = dataOf(peer);
      assert.ok(now.length <= 1, `duplicate ${i} let out ${now.length}`);
      sent += now.length;
    }
    // Two by limited transmit, the retransmission, and then 0.7 of what arrived.
    assert.ok(sent >= 6 && sent <= 8, `${sent}`);
  });

  it('show the next hole by a partial ACK, which sends one segment again (NewReno, RFC 6582 §3.2)', () => {
    const { peer, seq, ack } = inFlight(MSS_1380);
    for (let i = 0; i < 3; i++) peer.send({ flags: F.ACK, seq, ack });
    peer.replies();
    peer.send({ flags: F.ACK, seq, ack: (ack + 4 * MSS) | 0 });
    const again = dataOf(peer).filter((reply) => ((reply.seq - ack) | 0) < 10 * MSS);
    assert.deepEqual(
      again.map((reply) => (reply.seq - ack) | 0),
      [4 * MSS],
    );
    const threshold = peer.flow!.congestion.slowStartThreshold;
    peer.send({ flags: F.ACK, seq, ack: peer.flow!.recoveryEnd });
    assert.deepEqual([peer.flow!.recovery, peer.flow!.congestion.windowBytes], [0, Math.floor(threshold)]);
  });

  it('are not repaired a second time by duplicates of the repair (RFC 6582 §3.2 step 1)', () => {
    const { peer, seq, ack } = inFlight(MSS_1380);
    for (let i = 0; i < 3; i++) peer.send({ flags: F.ACK, seq, ack });
    peer.send({ flags: F.ACK, seq, ack: (ack + 9 * MSS) | 0 });
    peer.replies();
    for (let i = 0; i < 4; i++) peer.send({ flags: F.ACK, seq, ack: (ack + 9 * MSS) | 0 });
    assert.equal(dataOf(peer).filter((reply) => reply.seq === ((ack + 9 * MSS) | 0)).length, 0);
  });
});

describe('losses of a peer with SACK', () => {
  const OPTIONS = [...MSS_1380, ...SACK_PERMITTED];

  it('reduce the window to 0.7 in proportion to what arrives, and not below (RFC 9937, RFC 9438 §4.6)', () => {
    const { peer, seq, ack } = inFlight(OPTIONS);
    let sent = 0;
    for (let i = 2; i <= 10; i++) {
      peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, (ack + i * MSS) | 0) });
      peer.advance(CLOCK_MS);
      sent += dataOf(peer).length;
    }
    assert.equal(peer.flow!.congestion.slowStartThreshold, 0.7 * 10 * MSS);
    peer.send({ flags: F.ACK, seq, ack: (ack + 10 * MSS) | 0 });
    assert.ok(sent >= 6 && sent <= 9, `${sent} segments in recovery`);
    peer.send({ flags: F.ACK, seq, ack: peer.flow!.recoveryEnd });
    assert.equal(peer.flow!.recovery, 0);
    assert.equal(peer.flow!.congestion.windowBytes, Math.floor(0.7 * 10 * MSS));
  });

  it('wait for a quarter of the round trip once reordering was seen (RACK, RFC 8985 §6.2 step 4)', () => {
    const { peer, seq, ack } = inFlight(OPTIONS);
    // The second segment overtakes the first, and then the first arrives: reordering, not loss.
    const { windowBytes } = peer.flow!.congestion;
    peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, (ack + 2 * MSS) | 0) });
    assert.equal(peer.flow!.congestion.windowBytes, windowBytes, 'a duplicate does not let the window grow');
    peer.send({ flags: F.ACK, seq, ack: (ack + 2 * MSS) | 0 });
    peer.advance(50);
    peer.replies();
    const from = (ack + 2 * MSS) | 0;
    const isAgain = (): boolean => dataOf(peer).some((reply) => reply.seq === from);
    peer.send({ flags: F.ACK, seq, ack: from, options: sack((from + MSS) | 0, (from + 7 * MSS) | 0) });
    assert.equal(isAgain(), false, 'not at once');
    peer.advance(20);
    assert.equal(isAgain(), true, 'by the reordering timer');
  });

  it('are found in segments sent twice as well: a lost retransmission leaves again without a timeout (RFC 8985 §6.2)', () => {
    const { peer, seq, ack } = inFlight(OPTIONS);
    peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, (ack + 10 * MSS) | 0) });
    peer.advance(CLOCK_MS);
    assert.ok(dataOf(peer).some((reply) => reply.seq === ack));
    // Data that left after the retransmission arrives, the retransmission does not.
    for (let round = 0; round < 2; round++) {
      peer.advance(52);
      peer.replies();
      const end = peer.flow!.sndNxt;
      peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, end) });
    }
    peer.advance(20);
    assert.equal(dataOf(peer).filter((reply) => reply.seq === ack).length, 1);
  });

  it('at the tail are brought out by a probe after 2 SRTT, and cost window all the same (RFC 8985 §7.2–7.4)', () => {
    const peer = new RawPeer();
    const at = peer.open(OPTIONS);
    let { ack } = at;
    for (let i = 0; i < 3; i++) {
      peer.write(new Uint8Array(1));
      peer.advance(50);
      ack = (ack + 1) | 0;
      peer.send({ flags: F.ACK, seq: at.seq, ack });
    }
    peer.write(new Uint8Array(3 * MSS));
    const sent = dataOf(peer);
    peer.advance(2 * 50 + 2 + 1);
    const probe = dataOf(peer);
    assert.deepEqual([probe.length, probe[0]!.seq], [1, sent.at(-1)!.seq]);
    assert.equal(peer.flow!.congestion.slowStartThreshold, Infinity);
    // The probe repaired the loss, so no D-SACK comes.
    peer.send({ flags: F.ACK, seq: at.seq, ack: (ack + 3 * MSS) | 0 });
    assert.ok(peer.flow!.congestion.slowStartThreshold < Infinity);
  });

  it('may be of what the peer SACKed and dropped: a timeout sends that again, too (reneging, RFC 2018 §8)', () => {
    const { peer, seq, ack } = inFlight(OPTIONS);
    const block = sack(ack, (ack + 2 * MSS) | 0);
    peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, (ack + 10 * MSS) | 0) });
    peer.replies();
    // The hole is filled, and yet the ACK number stays in front of what was SACKed.
    peer.send({ flags: F.ACK, seq, ack: (ack + MSS) | 0, options: block });
    peer.advance(1_000);
    const arrived = new Uint8Array(30 * MSS).fill(1, 0, MSS);
    let next = MSS;
    for (let round = 0; round < 600 && next >= 0; round++) {
      for (const { seq: from, data } of dataOf(peer))
        arrived.fill(1, (from - ack) | 0, ((from - ack) | 0) + data.length);
      next = arrived.indexOf(0);
      peer.send({ flags: F.ACK, seq, ack: (ack + (next < 0 ? arrived.length : next)) | 0 });
      peer.advance(100);
    }
    assert.equal(next, -1, 'everything came again');
  });

  it('are undone when D-SACKs report all that was sent again (RFC 3708 §2, RFC 2883 §4)', () => {
    const { peer, seq, ack } = inFlight(OPTIONS);
    const { windowBytes } = peer.flow!.congestion;
    peer.send({ flags: F.ACK, seq, ack, options: sack((ack + MSS) | 0, (ack + 10 * MSS) | 0) });
    peer.advance(CLOCK_MS);
    assert.equal(peer.flow!.recovery, 1);
    const acked = (ack + 10 * MSS) | 0;
    peer.send({ flags: F.ACK, seq, ack: acked, options: sack(ack, (ack + MSS) | 0) });
    assert.equal(peer.flow!.recovery, 0);
    assert.ok(peer.flow!.congestion.windowBytes >= windowBytes);
  });

  it('are undone when the ACK echoes a stamp from before the retransmission (Eifel, RFC 3522, RFC 4015)', () => {
    const peer = new RawPeer();
    const at = peer.open([...OPTIONS, ...timestamps(1)]);
    peer.write(new Uint8Array(10 * MSS));
    const first = dataOf(peer);
    const bytes = first[0]!.data.length;
    const { windowBytes } = peer.flow!.congestion;
    const early = stampsOf(first[0]!)!.value;
    peer.advance(50);
    const block = sack((at.ack + bytes) | 0, (at.ack + 9 * bytes) | 0);
    peer.send({ flags: F.ACK, ...at, options: [...timestamps(2, early), ...block] });
    peer.advance(20);
    assert.equal(peer.flow!.recovery, 1);
    const acked = (at.ack + 9 * bytes) | 0;
    peer.send({ flags: F.ACK, seq: at.seq, ack: acked, options: timestamps(3, early) });
    assert.equal(peer.flow!.recovery, 0);
    assert.ok(peer.flow!.congestion.windowBytes >= windowBytes);
  });
});

describe('segments that arrive in one batch', () => {
  it('draw one ACK, behind all of them (RFC 9293 §3.8.6.3)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    const data = new Uint8Array(100);
    deliverAtOnce(
      peer,
      [0, 1, 2, 3, 4].map((i) => ({ flags: F.ACK, seq: (seq + 100 * i) | 0, ack, data })),
    );
    assert.equal(peer.reply().ack, (seq + 500) | 0);
  });
});

describe('segments that arrive behind a gap', () => {
  it('draw one duplicate ACK each where the peer knows no SACK, though they came in one batch (RFC 5681 §4.2)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open();
    const data = new Uint8Array(100);
    deliverAtOnce(
      peer,
      [1, 2, 3, 4].map((i) => ({ flags: F.ACK, seq: (seq + 100 * i) | 0, ack, data })),
    );
    assert.deepEqual(
      peer.replies().map((reply) => reply.ack),
      [seq, seq, seq, seq],
    );
  });

  it('are reported by as many ACKs as their ranges need, the newest first (RFC 2018 §4)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open([...MSS_1380, ...SACK_PERMITTED]);
    const data = new Uint8Array(100);
    const from = (i: number): number => (seq + 200 * i) | 0;
    deliverAtOnce(
      peer,
      Array.from({ length: 9 }, (_, i) => ({ flags: F.ACK, seq: from(i + 1), ack, data })),
    );
    const blocks = peer.replies().map((reply) => sacksOf(reply).map(([left]) => left));
    assert.deepEqual(blocks.slice(0, 2), [[9, 8, 7, 6].map(from), [5, 4, 3, 2].map(from)]);
    assert.equal(blocks.length, 3);
    assert.equal(blocks[2]![0], from(1));
  });

  it('take three SACK blocks beside timestamps, and four without (RFC 2018 §3)', () => {
    for (const [options, most] of [
      [[...MSS_1380, ...SACK_PERMITTED], 4],
      [[...MSS_1380, ...SACK_PERMITTED, ...timestamps(1)], 3],
    ] as const) {
      const peer = new RawPeer();
      const { seq, ack } = peer.open(options);
      for (let i = 1; i <= 6; i++) {
        peer.send({ flags: F.ACK, seq: (seq + 200 * i) | 0, ack, data: new Uint8Array(100) });
      }
      assert.equal(sacksOf(peer.replies().at(-1)!).length, most);
    }
  });

  it('that came twice are reported as a duplicate in front of all ranges (D-SACK, RFC 2883 §4)', () => {
    const peer = new RawPeer();
    const { seq, ack } = peer.open([...MSS_1380, ...SACK_PERMITTED]);
    const segment = { flags: F.ACK, seq: (seq + 100) | 0, ack, data: new Uint8Array(100) };
    peer.send(segment);
    peer.replies();
    peer.send(segment);
    const range = [(seq + 100) | 0, (seq + 200) | 0];
    assert.deepEqual(sacksOf(peer.reply()), [range, range]);
    peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(100) });
    peer.replies();
    peer.send({ flags: F.ACK, seq, ack, data: new Uint8Array(100) });
    assert.deepEqual(sacksOf(peer.reply()), [[seq, (seq + 100) | 0]]);
    assert.equal(seq, (PEER_ISS + 1) | 0);
  });
});
