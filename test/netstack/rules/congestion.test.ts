import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Congestion } from '../../../src/netstack/tcp/congestion.js';
import { Cubic } from '../../../src/netstack/tcp/cubic.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';
import { F, RawPeer } from '../raw-peer.js';
import { dataOf, MSS_1380 } from './segments.js';

const MSS = 1_000;
const RTT_MS = 100;

/** A window, and the ACKs that it sees. */
class Path {
  readonly congestion = new Congestion();
  nowMs = 1_000_000;
  #acknowledgment = 0;

  constructor() {
    this.congestion.start(MSS, 10 * MSS);
  }

  get segments(): number {
    return this.congestion.windowBytes / MSS;
  }

  ack(bytes: number, rttMs = RTT_MS, isWindowLimited = true): void {
    this.#acknowledgment = (this.#acknowledgment + bytes) | 0;
    const flightBytes = isWindowLimited ? this.congestion.windowBytes : 0;
    this.congestion.acknowledged(
      {
        bytes,
        flightBytes,
        acknowledgment: this.#acknowledgment,
        sndNxt: (this.#acknowledgment + this.congestion.windowBytes) | 0,
        rttMs,
        smoothedRttMs: rttMs,
        isWindowLimited,
      },
      this.nowMs,
    );
  }

  /** Acknowledges a window of data, segment by segment, in a round trip. */
  round(rttMs = RTT_MS, isWindowLimited = true): void {
    const segments = Math.floor(this.segments);
    for (let i = 0; i < segments; i++) {
      this.nowMs += rttMs / segments;
      this.ack(MSS, rttMs, isWindowLimited);
    }
  }

  /** A loss that is repaired at once. */
  lose(): void {
    this.congestion.enterRecovery(this.congestion.windowBytes);
    this.congestion.leaveRecovery();
  }

  /** Slow start up to a window, and out of it by a loss: 0.7 of it is left. */
  leaveSlowStart(segments: number): void {
    while (this.segments < segments) this.ack(MSS);
    this.lose();
  }
}

describe('slow start', () => {
  it('begins with ten segments (RFC 6928 §2)', () => {
    const peer = new RawPeer();
    peer.open(MSS_1380);
    peer.write(new Uint8Array(60_000));
    assert.equal(dataOf(peer).length, 10);
  });

  it('grows by the bytes of an ACK, whatever the number of ACKs (RFC 5681 §3.1, RFC 3465 §2.1)', () => {
    const coarse = new Path();
    const fine = new Path();
    coarse.ack(8 * MSS);
    for (let i = 0; i < 80; i++) fine.ack(MSS / 10);
    assert.deepEqual([coarse.segments, fine.segments], [18, 18]);
  });

  it('begins again with one segment after a timeout, up to 0.7 of what was in flight (RFC 5681 §3.1, RFC 9438 §4.8)', () => {
    const path = new Path();
    path.congestion.timedOut(10 * MSS, true);
    assert.deepEqual([path.segments, path.congestion.slowStartThreshold], [1, 7 * MSS]);
    // A second timeout of the same data halves nothing.
    path.congestion.timedOut(MSS, false);
    assert.equal(path.congestion.slowStartThreshold, 7 * MSS);
  });

  it('never has a threshold below two segments (RFC 9438 §4.6)', () => {
    const path = new Path();
    path.congestion.timedOut(MSS, true);
    assert.equal(path.congestion.slowStartThreshold, 2 * MSS);
  });

  it('begins again with ten segments after silence longer than the timeout (RFC 5681 §4.1)', () => {
    const path = new Path();
    for (let i = 0; i < 5; i++) path.round();
    const before = path.segments;
    path.congestion.idled(300, 300);
    assert.equal(path.segments, before);
    path.congestion.idled(301, 300);
    assert.equal(path.segments, 10);
  });

  it('has HyStart++ the first time only (RFC 9406 §4.3)', () => {
    const path = new Path();
    while (path.segments < 100) path.ack(MSS);
    path.congestion.timedOut(100 * MSS, true);
    for (let round = 0; path.segments < 70; round++) {
      assert.ok(round < 8, 'slow start goes on to the threshold');
      path.round(RTT_MS * (1 + round));
    }
    assert.equal(path.congestion.slowStartThreshold, 70 * MSS);
  });

  it('counts by segment sizes without options: 60 KB in flight after three rounds', () => {
    const peer = new RawPeer();
    const at = peer.open([...MSS_1380, 3, 3, 7]);
    peer.write(new Uint8Array(120_000));
    let acked = 0;
    for (let round = 0; round < 2; round++) {
      for (const reply of dataOf(peer)) acked += reply.data.length;
      peer.send({ flags: F.ACK, seq: at.seq, ack: (at.ack + acked) | 0 });
      peer.advance(50);
    }
    assert.equal(peer.flow!.congestion.windowBytes, 40 * 1_380);
  });
});

describe('CUBIC (RFC 9438)', () => {
  const C = 0.4;
  const BETA = 0.7;

  it('follows W(t) = C (t − K)³ + W_max where windows are large (§4.2, §4.4, §4.5)', () => {
    const path = new Path();
    path.leaveSlowStart(2_000);
    const k = Math.cbrt((2_000 * (1 - BETA)) / C);
    // At a short round trip the Reno-friendly part is above: so a long one.
    const startMs = path.nowMs;
    while (path.nowMs - startMs < 15_000) {
      path.round(200);
      const t = (path.nowMs - startMs) / 1_000;
      const wanted = C * (t - k) ** 3 + 2_000;
      assert.ok(Math.abs(path.segments - wanted) < 0.03 * wanted, `${t} s: ${path.segments}, not ${wanted}`);
    }
    assert.ok(path.segments > 2_000, 'beyond the old maximum');
  });

  it('is no slower than Reno where windows are small: 9/17 of a segment per round trip, then one (§4.3)', () => {
    const path = new Path();
    path.leaveSlowStart(40);
    assert.equal(path.segments, 28);
    for (let i = 0; i < 10; i++) path.round(10);
    assert.ok(Math.abs(path.segments - (28 + (10 * 9) / 17)) < 0.3, `${path.segments}`);
    while (path.segments < 40) path.round(10);
    const before = path.segments;
    for (let i = 0; i < 10; i++) path.round(10);
    assert.ok(Math.abs(path.segments - before - 10) < 0.5, `${path.segments - before}`);
  });

  it('gives way to others: after a loss below the last maximum the next one is lower by 0.85 (§4.7)', () => {
    const cubic = new Cubic();
    cubic.reduced(100);
    cubic.reduced(80);
    // K tells the maximum: the curve is flat there.
    const k = Math.cbrt((0.85 * 80 - 0.7 * 80) / C);
    let window = 56;
    for (let ms = 0; ms < 1_000 * k; ms += 10) window = cubic.grow(window, window / 100, 1_000, ms);
    assert.ok(Math.abs(window - 68) < 1, `${window}`);
  });

  it('begins flat behind a timeout (§4.8)', () => {
    const path = new Path();
    while (path.segments < 1_000) path.ack(MSS);
    path.congestion.timedOut(1_000 * MSS, true);
    while (path.congestion.isInSlowStart) path.ack(MSS);
    const before = path.segments;
    path.round();
    path.round();
    // Toward the old maximum it would jump by tens of segments.
    assert.ok(path.segments - before < 3, `${path.segments - before}`);
  });

  it('takes window, threshold and curve back when the loss was spurious (§4.9, RFC 4015 §3.2)', () => {
    const lossless = new Path();
    const path = new Path();
    for (const each of [lossless, path]) {
      each.leaveSlowStart(500);
      for (let i = 0; i < 20; i++) each.round();
    }
    path.congestion.enterRecovery(path.congestion.windowBytes);
    path.congestion.undo();
    for (const each of [lossless, path]) for (let i = 0; i < 20; i++) each.round();
    assert.ok(Math.abs(path.segments - lossless.segments) < 2);
  });

  it('does not grow while the program or the peer is the limit, and its clock stands still (§5.8, RFC 7661 §4.3)', () => {
    const path = new Path();
    path.leaveSlowStart(500);
    for (let i = 0; i < 5; i++) path.round();
    const before = path.segments;
    for (let i = 0; i < 200; i++) path.round(RTT_MS, false);
    assert.equal(path.segments, before);
    const busy = new Path();
    busy.leaveSlowStart(500);
    for (let i = 0; i < 6; i++) busy.round();
    path.round();
    assert.ok(Math.abs(path.segments - busy.segments) < 2, `${path.segments}, not ${busy.segments}`);
  });

  it('keeps an unused window for five minutes, then halves it (RFC 7661 §4.4.3)', () => {
    const path = new Path();
    path.leaveSlowStart(400);
    const before = path.segments;
    for (const [minutes, wanted] of [
      [4, before],
      [2, before / 2],
      [5, before / 4],
    ] as const) {
      for (let i = 0; i < minutes * 60; i++) {
        path.nowMs += 1_000;
        path.ack(MSS, RTT_MS, false);
      }
      assert.ok(Math.abs(path.segments - wanted) < 0.01, `${path.segments}, not ${wanted}`);
    }
    assert.ok(path.congestion.slowStartThreshold >= 0.75 * before * MSS);
  });

  it('neither overflows nor stalls in an hour at 10 Gbit/s, with a loss now and then (row 29)', () => {
    const path = new Path();
    const random = new SeededRandom(29);
    const bytesPerMs = 10e9 / 8 / 1_000;
    const endMs = path.nowMs + 3_600_000;
    let greatest = 0;
    while (path.nowMs < endMs) {
      path.nowMs++;
      path.ack(Math.min(bytesPerMs, path.congestion.windowBytes), 50);
      if (random.chance(1e-5)) path.lose();
      const { windowBytes } = path.congestion;
      assert.ok(Number.isFinite(windowBytes) && windowBytes >= MSS && windowBytes <= 2 ** 30);
      greatest = Math.max(greatest, windowBytes);
    }
    assert.ok(greatest > bytesPerMs * 50, 'the path was filled');
  });
});
