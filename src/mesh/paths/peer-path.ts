import type { Endpoint } from '../../wire/endpoint.js';
import { type Candidate, isPrivate, isSameRemote } from './candidate.js';
import { ProbeShots } from './probe-shots.js';

/** A path is trusted for this long after its last answer; later, messages leave by both ways. */
const TRUST_MS = 6_500;
const HEARTBEAT_MS = 3_000;
/** Without traffic for so long, nothing is probed. */
const IDLE_MS = 45_000;
/** A path that is used and answers nothing for so long is given up. */
const GIVE_UP_MS = 15_000;
/** Pauses between punches while there is traffic on the relay. The silence of the later ones lets a stray entry of a NAT end. */
const PUNCH_PAUSES_MS = [5_000, 40_000, 80_000, 160_000, 300_000];
/** A path in doubt gives way to another one that is answered, where it has answered nothing for so long. */
const DOUBT_MS = 1_000;
/** The hub answers what was asked of it within this time. */
const ASKED_MS = 2_000;
/** A better path is better by this much at least. */
const BETTER_RATIO = 0.99;
const BETTER_MS = 2;
const PREFERENCE_MS = 10;

/** The ways of messages to a peer at a moment. */
export interface Ways {
  /** Absent: the relay alone. */
  readonly direct?: Endpoint;
  readonly isRelayed: boolean;
}

export interface PathActions {
  probe(transactionId: Uint8Array, to: Endpoint): void;
  /** Asks the hub to have both ends probe each other. */
  askPunch(attempt: number): void;
}

interface DirectPath {
  readonly endpoint: Endpoint;
  rttMs: number;
  answeredMs: number;
  /** Since when its next answer is waited for; Infinity: it is not in doubt. */
  doubtedMs: number;
}

const RELAY: Ways = { isRelayed: true };

/**
 * The path to one peer: relay at first, direct once a probe of ours was answered, both while that is in doubt.
 *
 * Only an answer to a probe of our own makes a path usable: replayed and forged probes move nothing. Time is `nowMs`; `runDue`
 * is to be called when `nextDeadline()` has passed.
 */
export class PeerPath {
  readonly #shots: ProbeShots;
  #direct: DirectPath | undefined;
  /** Where else a verified probe of the peer came from last. */
  #elsewhere: Endpoint | undefined;
  #trafficMs = -Infinity;
  /** When traffic began after a pause. */
  #activeSinceMs = -Infinity;
  #heartbeatMs = Infinity;
  #punchMs = Infinity;
  #attempt = 0;
  #lastPunchMs = -Infinity;
  #askedMs = -Infinity;

  constructor(random: (bytes: Uint8Array) => void) {
    this.#shots = new ProbeShots(random);
  }

  /** The direct path in use, with its round trip. */
  get direct(): { readonly endpoint: Endpoint; readonly rttMs: number } | undefined {
    return this.#direct;
  }

  get attempts(): number {
    return this.#attempt;
  }

  ways(nowMs: number): Ways {
    const direct = this.#direct;
    if (direct === undefined) return RELAY;
    const isTrusted = direct.doubtedMs === Infinity && nowMs - direct.answeredMs <= TRUST_MS;
    return { direct: direct.endpoint, isRelayed: !isTrusted };
  }

  /** Notes that messages leave for the peer. */
  noteTraffic(nowMs: number): void {
    if (nowMs - this.#trafficMs > IDLE_MS) {
      this.#activeSinceMs = nowMs;
      this.#heartbeatMs = this.#direct === undefined ? Infinity : nowMs;
      if (this.#direct === undefined) this.#scheduleFirst(nowMs);
    }
    this.#trafficMs = nowMs;
  }

  /** The hub says where the peer might be, and when both begin. */
  punch(candidates: readonly Candidate[], inMs: number, nowMs: number): void {
    this.#lastPunchMs = nowMs;
    // Both ends count each punch once, so that their next ones fall together, after one silence.
    if (this.#punchMs !== Infinity && nowMs - this.#askedMs > ASKED_MS) this.#scheduleNext(nowMs);
    this.#shots.aim(candidates, nowMs + inMs);
  }

  /** There was a handshake: the peer may have been started again, at another port, and the old path leads nowhere then. */
  doubt(nowMs: number): void {
    const direct = this.#direct;
    if (direct === undefined || direct.doubtedMs !== Infinity) return;
    direct.doubtedMs = nowMs;
    this.#shots.add(direct.endpoint, nowMs);
    this.#heartbeatMs = Math.min(this.#heartbeatMs, nowMs + DOUBT_MS);
  }

  /** A verified probe of the peer came from an address: the peer may be reached there. */
  probedFrom(endpoint: Endpoint, nowMs: number): void {
    if (this.#direct !== undefined && isSameRemote(this.#direct.endpoint, endpoint)) return;
    this.#elsewhere = endpoint;
    this.#shots.heardFrom(endpoint, nowMs);
  }

  /** Takes an answer. @returns Whether it belongs to a probe of this path. */
  answered(transactionId: Uint8Array, nowMs: number): boolean {
    const answer = this.#shots.answered(transactionId, nowMs);
    if (answer === undefined) return false;
    const { endpoint, rttMs } = answer;
    const current = this.#direct;
    if (current !== undefined && isSameRemote(current.endpoint, endpoint)) {
      current.rttMs = rttMs;
      current.answeredMs = nowMs;
      current.doubtedMs = Infinity;
    } else if (current === undefined || this.#isBetter(endpoint, rttMs, current, nowMs)) {
      this.#direct = { endpoint, rttMs, answeredMs: nowMs, doubtedMs: Infinity };
      this.#elsewhere = undefined;
      this.#heartbeatMs = nowMs + HEARTBEAT_MS;
    }
    this.#punchMs = Infinity;
    this.#attempt = 0;
    return true;
  }

  /** This host or the peer is in another network: the relay until a probe is answered again. */
  networkChanged(nowMs: number): void {
    this.#direct = undefined;
    this.#elsewhere = undefined;
    this.#heartbeatMs = Infinity;
    this.#attempt = 0;
    this.#lastPunchMs = -Infinity;
    this.#shots.reset();
    if (nowMs - this.#trafficMs <= IDLE_MS) this.#scheduleFirst(nowMs);
  }

  /** UDP works again: what failed meanwhile says nothing about the attempts to come. */
  retry(nowMs: number): void {
    if (this.#direct !== undefined) return;
    this.#attempt = 0;
    this.#lastPunchMs = -Infinity;
    if (nowMs - this.#trafficMs <= IDLE_MS) this.#scheduleFirst(nowMs);
  }

  nextDeadline(): number {
    return Math.min(this.#shots.nextMs, this.#heartbeatMs, this.#punchMs);
  }

  runDue(nowMs: number, actions: PathActions): void {
    const isIdle = nowMs - this.#trafficMs > IDLE_MS;
    if (nowMs >= this.#heartbeatMs) this.#heartbeat(nowMs, isIdle);
    if (nowMs >= this.#punchMs) this.#ask(nowMs, isIdle, actions);
    this.#shots.fire(nowMs, (transactionId, to) => actions.probe(transactionId, to));
  }

  #heartbeat(nowMs: number, isIdle: boolean): void {
    const direct = this.#direct;
    this.#heartbeatMs = Infinity;
    if (direct === undefined || isIdle) return;
    if (nowMs - Math.max(direct.answeredMs, this.#activeSinceMs) > GIVE_UP_MS) {
      this.#direct = undefined;
      this.#scheduleFirst(nowMs);
      return;
    }
    this.#shots.add(direct.endpoint, nowMs);
    if (direct.doubtedMs !== Infinity && this.#elsewhere !== undefined) this.#shots.add(this.#elsewhere, nowMs);
    this.#heartbeatMs = nowMs + HEARTBEAT_MS;
  }

  #ask(nowMs: number, isIdle: boolean, actions: PathActions): void {
    this.#punchMs = Infinity;
    if (isIdle || this.#direct !== undefined) {
      this.#attempt = 0;
      return;
    }
    this.#lastPunchMs = nowMs;
    this.#askedMs = nowMs;
    actions.askPunch(this.#attempt);
    this.#scheduleNext(nowMs);
  }

  #scheduleFirst(nowMs: number): void {
    const pauseMs = PUNCH_PAUSES_MS[0]!;
    this.#punchMs = Math.max(nowMs, this.#lastPunchMs + pauseMs);
  }

  #scheduleNext(nowMs: number): void {
    this.#punchMs = nowMs + PUNCH_PAUSES_MS[Math.min(this.#attempt, PUNCH_PAUSES_MS.length - 1)]!;
    this.#attempt++;
  }

  #isBetter(endpoint: Endpoint, rttMs: number, current: DirectPath, nowMs: number): boolean {
    if (nowMs - current.answeredMs > TRUST_MS || nowMs - current.doubtedMs >= DOUBT_MS) return true;
    const score = rttMs - preference(endpoint);
    const currentScore = current.rttMs - preference(current.endpoint);
    return (
      score <= currentScore - BETTER_MS &&
      rttMs <= Math.max(current.rttMs * BETTER_RATIO, current.rttMs - BETTER_MS + PREFERENCE_MS)
    );
  }
}

/** Paths that stay in the site, and IPv6, which needs no translation, are preferred. */
function preference(endpoint: Endpoint): number {
  return endpoint.family === 6 || isPrivate(endpoint) ? PREFERENCE_MS : 0;
}
