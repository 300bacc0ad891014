import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { DeadlineQueue } from '../../../src/core/session/deadline-queue.js';
import { PeerTimers, type TimerActions } from '../../../src/core/session/peer-timers.js';

describe('PeerTimers', () => {
  it('retransmits an unanswered initiation every REKEY_TIMEOUT, until REKEY_ATTEMPT_TIME (§6.4)', () => {
    const peer = new SimulatedPeer();
    peer.initiate(false);
    peer.advance(120_000);

    assert.deepEqual(
      peer.times('initiation'),
      Array.from({ length: 18 }, (_, i) => i * 5_000),
    );
    assert.deepEqual(peer.times('give up'), [90_000]);
  });

  it('adds up to 333 ms of jitter to a retransmission (§6.1)', () => {
    const peer = new SimulatedPeer(() => 0.999_999);
    peer.initiate(false);
    peer.advance(6_000);
    assert.deepEqual(peer.times('initiation'), [0, 5_333]);
  });

  it('has the source chosen again when nobody answers: with each retransmission, and after unanswered data (kernel)', () => {
    const handshaking = new SimulatedPeer();
    handshaking.initiate(false);
    handshaking.advance(12_000);
    assert.deepEqual(handshaking.times('forget source'), [5_000, 10_000]);

    const talking = new SimulatedPeer();
    talking.sendData();
    talking.advance(16_000);
    assert.deepEqual(talking.times('forget source'), [15_000]);
    assert.deepEqual(talking.times('initiation'), [15_000]);
  });

  it('gives an attempt more time when somebody wants to send again (§6.4)', () => {
    const peer = new SimulatedPeer();
    peer.initiate(false);
    peer.advance(60_000);
    peer.timers.handshakeWanted(peer.nowMs);
    peer.advance(120_000);
    assert.deepEqual(peer.times('give up'), [150_000]);
  });

  it('starts at most one handshake in REKEY_TIMEOUT, and the second one late rather than never (§6.2)', () => {
    const peer = new SimulatedPeer();
    peer.timers.handshakeWanted(0);
    peer.advance(1_000);
    peer.timers.handshakeCompleted();
    peer.timers.handshakeWanted(peer.nowMs);
    peer.timers.handshakeWanted(peer.nowMs);
    peer.advance(3_999);
    assert.deepEqual(peer.times('initiation'), [0]);
    peer.advance(1);
    assert.deepEqual(peer.times('initiation'), [0, 5_000]);
  });

  it('keeps REKEY_TIMEOUT from a response of its own, too (§6.2)', () => {
    const peer = new SimulatedPeer();
    peer.timers.handshakeAnswered(0);
    peer.timers.handshakeWanted(0);
    peer.advance(4_999);
    assert.deepEqual(peer.times('initiation'), []);
    peer.advance(1);
    assert.deepEqual(peer.times('initiation'), [5_000]);
  });

  it('starts no handshake that was asked for once one has completed', () => {
    const peer = new SimulatedPeer();
    peer.timers.handshakeAnswered(0);
    peer.timers.handshakeWanted(0);
    peer.timers.handshakeCompleted();
    peer.advance(60_000);
    assert.deepEqual(peer.times('initiation'), []);
  });

  it('starts a handshake at once after the own key changed', () => {
    const peer = new SimulatedPeer();
    peer.timers.handshakeAnswered(0);
    peer.timers.allowHandshake();
    peer.timers.handshakeWanted(0);
    peer.advance(0);
    assert.deepEqual(peer.times('initiation'), [0]);
  });

  it('answers received data with one keepalive when nothing else was sent (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.receiveData();
    peer.advance(60_000);
    assert.deepEqual(peer.times('keepalive'), [10_000]);
  });

  it('answers data that came while a keepalive was pending with a second one (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.receiveData();
    peer.advance(5_000);
    peer.receiveData();
    peer.advance(60_000);
    assert.deepEqual(peer.times('keepalive'), [10_000, 20_000]);
  });

  it('sends no keepalive when data went back in time (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.receiveData();
    peer.advance(9_999);
    peer.sendData();
    peer.advance(5_000);
    assert.deepEqual(peer.times('keepalive'), []);
  });

  it('starts a new handshake when data sent stays unanswered, counted from the first (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.sendData();
    peer.advance(10_000);
    peer.sendData();
    peer.advance(4_999);
    assert.deepEqual(peer.times('initiation'), []);
    peer.advance(1);
    assert.deepEqual(peer.times('initiation'), [15_000]);
  });

  it('starts no handshake when an answer came in time (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.sendData();
    peer.advance(14_999);
    peer.timers.authenticatedMessageReceived(peer.nowMs);
    peer.advance(60_000);
    assert.deepEqual(peer.times('initiation'), []);
  });

  it('wipes the keys three times REJECT_AFTER_TIME after the last session (§6.3)', () => {
    const peer = new SimulatedPeer();
    peer.timers.sessionDerived(0);
    peer.advance(100_000);
    peer.timers.sessionDerived(peer.nowMs);
    peer.advance(1_000_000);
    assert.deepEqual(peer.times('zero keys'), [640_000]);
  });

  it('wipes what is left of a handshake that was given up (§6.3)', () => {
    const peer = new SimulatedPeer();
    peer.initiate(false);
    peer.advance(1_000_000);
    assert.deepEqual(peer.times('zero keys'), [90_000 + 540_000]);
  });

  it('sends persistent keepalives only after an idle interval, in either direction (§6.5)', () => {
    const peer = new SimulatedPeer();
    peer.timers.setPersistentKeepalive(25_000, 0, true);
    peer.advance(60_000);
    assert.deepEqual(peer.times('keepalive'), [0, 25_000, 50_000]);

    peer.timers.authenticatedMessageReceived(peer.nowMs);
    peer.advance(24_999);
    assert.deepEqual(peer.times('keepalive'), [0, 25_000, 50_000]);
    peer.advance(1);
    assert.deepEqual(peer.times('keepalive'), [0, 25_000, 50_000, 85_000]);
  });

  it('stops persistent keepalives when the interval is 0', () => {
    const peer = new SimulatedPeer();
    peer.timers.setPersistentKeepalive(25_000, 0, false);
    peer.timers.setPersistentKeepalive(0, 1_000, false);
    peer.advance(100_000);
    assert.equal(peer.timers.nextDeadline(), Infinity);
    assert.deepEqual(peer.times('keepalive'), []);
  });

  it('has nothing to do after a stop', () => {
    const peer = new SimulatedPeer();
    peer.timers.setPersistentKeepalive(25_000, 0, true);
    peer.initiate(false);
    peer.receiveData();
    peer.sendData();
    peer.timers.sessionDerived(0);
    peer.timers.stop();
    assert.equal(peer.timers.nextDeadline(), Infinity);
  });
});

/**
 * One peer on a virtual clock. Time moves only by jumping to the deadline that the queue announces,
 * so a test also fails when a deadline is forgotten or not announced.
 */
class SimulatedPeer implements TimerActions<SimulatedPeer> {
  readonly timers: PeerTimers<SimulatedPeer>;
  readonly #queue = new DeadlineQueue<PeerTimers<SimulatedPeer>>();
  readonly #log: { at: number; what: string }[] = [];
  nowMs = 0;

  constructor(random = () => 0) {
    this.timers = new PeerTimers<SimulatedPeer>(this, this, random, this.#queue);
  }

  advance(ms: number): void {
    const end = this.nowMs + ms;
    for (let at = this.#queue.nextDeadline(); at <= end; at = this.#queue.nextDeadline()) {
      this.nowMs = Math.max(this.nowMs, at);
      this.timers.expire(this.nowMs);
    }
    this.nowMs = end;
  }

  times(what: string): number[] {
    return this.#log.filter((entry) => entry.what === what).map((entry) => entry.at);
  }

  sendData(): void {
    this.timers.authenticatedMessageSent(this.nowMs);
    this.timers.dataSent(this.nowMs);
  }

  receiveData(): void {
    this.timers.authenticatedMessageReceived(this.nowMs);
    this.timers.dataReceived(this.nowMs);
  }

  sendHandshakeInitiation(_owner: SimulatedPeer, isRetry: boolean): void {
    this.initiate(isRetry);
  }

  initiate(isRetry: boolean): void {
    this.#record('initiation');
    this.timers.authenticatedMessageSent(this.nowMs);
    this.timers.handshakeInitiated(this.nowMs, isRetry);
  }

  sendKeepalive(): void {
    this.#record('keepalive');
    this.timers.authenticatedMessageSent(this.nowMs);
  }

  forgetSource(): void {
    this.#record('forget source');
  }

  dropPendingHandshake(): void {}

  giveUpHandshake(): void {
    this.#record('give up');
  }

  zeroKeyMaterial(): void {
    this.#record('zero keys');
  }

  #record(what: string): void {
    this.#log.push({ at: this.nowMs, what });
  }
}
