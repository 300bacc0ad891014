import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { F, RawPeer } from '../raw-peer.js';
import { dataOf, MSS_1380, SACK_PERMITTED, sack, stampsOf, timestamps } from './segments.js';

/** A connection without timestamps whose round trip was measured: 100 ms. */
function measured(options: readonly number[] = MSS_1380): { peer: RawPeer; seq: number; ack: number } {
  const peer = new RawPeer();
  const at = peer.open(options);
  for (let i = 0; i < 4; i++) {
    peer.write(new Uint8Array(1));
    peer.replies();
    peer.advance(100);
    at.ack = (at.ack + 1) | 0;
    peer.send({ flags: F.ACK, ...at });
  }
  return { peer, ...at };
}

describe('the retransmission timeout (RFC 6298)', () => {
  it('is 1 s before the first sample (§2.1)', () => {
    const peer = new RawPeer();
    // The handshake took longer than a second, so it measured nothing.
    peer.listen();
    peer.send({ flags: F.SYN, seq: 1, options: MSS_1380 });
    const synAck = peer.reply();
    peer.advance(500);
    peer.send({ flags: F.ACK, seq: 2, ack: (synAck.seq + 1) | 0 });
    peer.flow!.rtt.startOver(1_000);
    peer.replies();
    peer.write(new Uint8Array(100));
    const first = peer.reply();
    peer.advance(1_100);
    assert.equal(peer.reply().atMs - first.atMs, 1_000);
  });

  it('is SRTT + max(4 RTTVAR, 200 ms) behind a sample, with gains of 1/8 and 1/4 (§2.2, §2.3)', () => {
    const { peer, seq, ack } = measured();
    let smoothed = peer.flow!.rtt.smoothedMs;
    peer.write(new Uint8Array(1));
    peer.advance(180);
    peer.send({ flags: F.ACK, seq, ack: (ack + 1) | 0 });
    smoothed += (180 - smoothed) / 8;
    assert.equal(peer.flow!.rtt.smoothedMs, smoothed);
    assert.ok(peer.flow!.rtt.rtoMs >= smoothed + 200);
  });

  it('doubles with each timeout up to 120 s, and connection ends after 15 of them (§5.5, RFC 9293 §3.8.3)', () => {
    const { peer } = measured();
    peer.write(new Uint8Array(100));
    const startMs = peer.reply().atMs;
    peer.advance(2_000_000);
    const times = dataOf(peer).map((reply) => reply.atMs);
    assert.equal(times.length, 15);
    for (let i = 1; i < times.length; i++) {
      const wanted = Math.min(2 * (times[i - 1]! - (times[i - 2] ?? startMs)), 120_000);
      assert.equal(times[i]! - times[i - 1]!, wanted);
    }
    assert.equal(peer.flow!.closedBy, 'timed-out');
  });

  it('stays doubled until an ACK of data that was sent once (Karn, §3, §5.7)', () => {
    const { peer, seq, ack } = measured();
    peer.write(new Uint8Array(100));
    peer.replies();
    peer.advance(1_500);
    assert.equal(dataOf(peer).length, 2);
    peer.send({ flags: F.ACK, seq, ack: (ack + 100) | 0 });
    const backedOff = peer.flow!.rtt.timeoutMs;
    assert.ok(backedOff > 1_000, `${backedOff} ms`);
    peer.write(new Uint8Array(100));
    peer.advance(100);
    peer.send({ flags: F.ACK, seq, ack: (ack + 200) | 0 });
    assert.ok(peer.flow!.rtt.timeoutMs < 400, `${peer.flow!.rtt.timeoutMs} ms`);
  });

  it('is not measured by an ACK that covers data sent twice, unless there are timestamps (§3, RFC 7323 §4.1)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...timestamps(1)]);
    peer.write(new Uint8Array(100));
    peer.replies();
    peer.advance(1_200);
    const again = peer.replies().at(-1)!;
    peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + 100) | 0, options: timestamps(2, stampsOf(again)!.value) });
    assert.ok(peer.flow!.rtt.timeoutMs < 1_000);
  });

  it('is 3 s for the first data when the SYN was lost and nothing measured the path (§5.7)', () => {
    for (const hasTimestamps of [false, true]) {
      const peer = new RawPeer();
      const { b } = peer.pair;
      const flow = b.connect(443);
      peer.flow = flow;
      peer.advance(1_000);
      const syn = peer.replies()[1]!;
      const options = hasTimestamps ? timestamps(1, stampsOf(syn)!.value) : [];
      const ports = { sport: 443, dport: flow.localPort };
      peer.send({ flags: F.SYN | F.ACK, seq: 9, ack: (syn.seq + 1) | 0, options, ...ports });
      peer.replies();
      peer.write(new Uint8Array(100));
      const first = peer.reply();
      peer.advance(4_000);
      const wanted = hasTimestamps ? 1_000 : 3_000;
      assert.equal(dataOf(peer)[0]!.atMs - first.atMs, wanted);
    }
  });

  it('runs again from an ACK of new data, and not from a duplicate (§5.3)', () => {
    const { peer, seq, ack } = measured();
    peer.write(new Uint8Array(100));
    peer.flow!.isNoDelay = true;
    peer.advance(150);
    peer.write(new Uint8Array(100));
    peer.send({ flags: F.ACK, seq, ack: (ack + 100) | 0 });
    const restartMs = peer.nowMs;
    peer.replies();
    peer.send({ flags: F.ACK, seq, ack: (ack + 100) | 0 });
    peer.advance(peer.flow!.rtt.rtoMs - 1);
    assert.equal(dataOf(peer).length, 0);
    peer.advance(1);
    assert.equal(dataOf(peer)[0]!.atMs - restartMs, peer.flow!.rtt.rtoMs);
  });
});

describe('a spurious timeout', () => {
  const MSS = 1_380;

  /** Ten segments in flight, and a timeout: the first left again. More waits to be sent. */
  function timedOut(options: readonly number[]): { peer: RawPeer; seq: number; ack: number; windowBytes: number } {
    const at = measured(options);
    at.peer.write(new Uint8Array(20 * MSS));
    const windowBytes = at.peer.flow!.congestion.windowBytes;
    at.peer.replies();
    at.peer.advance(at.peer.flow!.rtt.rtoMs);
    assert.equal(dataOf(at.peer).length, 1);
    return { ...at, windowBytes };
  }

  it('is found without timestamps: two new segments, and the next ACK advances (RFC 5682 §2.1)', () => {
    const { peer, seq, ack, windowBytes } = timedOut(MSS_1380);
    peer.send({ flags: F.ACK, seq, ack: (ack + MSS) | 0 });
    const sent = dataOf(peer);
    assert.equal(sent.length, 2);
    assert.ok(((sent[0]!.seq - ack) | 0) >= 10 * MSS, 'new data, not old');
    peer.send({ flags: F.ACK, seq, ack: (ack + 2 * MSS) | 0 });
    assert.ok(peer.flow!.congestion.windowBytes >= windowBytes);
    assert.deepEqual([peer.flow!.congestion.slowStartThreshold, peer.flow!.recovery], [Infinity, 0]);
    for (const reply of dataOf(peer)) assert.ok(((reply.seq - ack) | 0) >= 10 * MSS, 'nothing is sent twice');
  });

  it('is not assumed when a duplicate follows the new segments (RFC 5682 §2.1 step 3 a)', () => {
    const { peer, seq, ack, windowBytes } = timedOut(MSS_1380);
    peer.send({ flags: F.ACK, seq, ack: (ack + MSS) | 0 });
    assert.equal(dataOf(peer).length, 2);
    peer.send({ flags: F.ACK, seq, ack: (ack + MSS) | 0 });
    // Three segments may be on the path, and one of the two new ones is still there.
    const again = dataOf(peer).map((reply) => (reply.seq - ack) | 0);
    assert.deepEqual(again, [MSS, 2 * MSS]);
    assert.ok(peer.flow!.congestion.windowBytes < windowBytes);
  });

  it('is not assumed when the first ACK covers everything, or repeats itself (RFC 5682 §2.1 step 2 a)', () => {
    for (const acknowledged of [10 * MSS, 0]) {
      const { peer, seq, ack, windowBytes } = timedOut(MSS_1380);
      peer.send({ flags: F.ACK, seq, ack: (ack + acknowledged) | 0 });
      assert.ok(peer.flow!.congestion.slowStartThreshold < windowBytes);
      assert.equal(peer.flow!.forwardRecovery, 0);
    }
  });

  it('is found by an echo from before the retransmission (Eifel, RFC 3522 §3.2, RFC 4015 §3.2)', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, ...SACK_PERMITTED, ...timestamps(1)]);
    peer.write(new Uint8Array(20 * MSS));
    const first = dataOf(peer);
    const { windowBytes } = peer.flow!.congestion;
    peer.advance(3_000);
    const early = stampsOf(first[0]!)!.value;
    const acked = (at.ack + first[0]!.data.length) | 0;
    peer.send({ flags: F.ACK, seq: at.seq, ack: acked, options: timestamps(2, early) });
    assert.ok(peer.flow!.congestion.windowBytes >= windowBytes);
    assert.equal(peer.flow!.congestion.slowStartThreshold, Infinity);
  });

  it('is found by D-SACKs of all that was sent again (RFC 3708 §2)', () => {
    const { peer, seq, ack, windowBytes } = timedOut([...MSS_1380, ...SACK_PERMITTED]);
    peer.send({ flags: F.ACK, seq, ack: (ack + 10 * MSS) | 0, options: sack(ack, (ack + MSS) | 0) });
    assert.ok(peer.flow!.congestion.windowBytes >= windowBytes);
    assert.equal(peer.flow!.congestion.slowStartThreshold, Infinity);
  });
});
