import {
  KEEPALIVE_TIMEOUT_MS,
  REJECT_AFTER_TIME_MS,
  REKEY_ATTEMPT_TIME_MS,
  REKEY_TIMEOUT_JITTER_MS,
  REKEY_TIMEOUT_MS,
} from '../constants.js';
import type { DeadlineQueue, Scheduled } from './deadline-queue.js';

/** The actions that fall due for a peer. Every method may call back into the timers, as sending a message does. */
export interface TimerActions<Owner> {
  /** @param isRetry The same attempt goes on: nobody answered so far. */
  sendHandshakeInitiation(owner: Owner, isRetry: boolean, nowMs: number): void;
  /** Nobody answers, which may be due to the address that we send from: let the system choose it anew. */
  forgetSource(owner: Owner): void;
  /** Nobody answered for REKEY_ATTEMPT_TIME: drop the packets that wait for a session. */
  giveUpHandshake(owner: Owner, nowMs: number): void;
  sendKeepalive(owner: Owner, nowMs: number): void;
  /** A session came about another way, and the response to our last initiation would come too late. */
  dropPendingHandshake(owner: Owner): void;
  zeroKeyMaterial(owner: Owner, nowMs: number): void;
}

/**
 * The deadlines of one peer: the five timers of the protocol, a handshake that is wanted, and one that was overtaken.
 *
 * Holds no clock and no timer handle: callers say what happened and when, ask for the next
 * deadline, and call `expire` once it passed. Calling `expire` early or twice does nothing.
 * `nowMs` is monotonic and never goes back.
 *
 * Source: whitepaper §6.1–§6.5.
 */
export class PeerTimers<Owner> implements Scheduled {
  queuedAt = NEVER;
  queuePosition = 0;

  #handshakeWantedAt = NEVER;
  #retransmitHandshakeAt = NEVER;
  #newHandshakeAt = NEVER;
  #keepaliveAt = NEVER;
  #persistentKeepaliveAt = NEVER;
  #pendingHandshakeEndsAt = NEVER;
  #zeroKeyMaterialAt = NEVER;

  #attemptStartedAt = 0;
  #unansweredSinceMs = NEVER;
  #handshakeSentAt = LONG_AGO;
  #isAnotherKeepaliveDue = false;
  #persistentKeepaliveMs = 0;

  readonly #owner: Owner;
  readonly #actions: TimerActions<Owner>;
  readonly #random: () => number;
  readonly #queue: DeadlineQueue<PeerTimers<Owner>>;

  /** @param random Uniform in [0, 1), for the jitter of §6.1. */
  constructor(
    owner: Owner,
    actions: TimerActions<Owner>,
    random: () => number,
    queue: DeadlineQueue<PeerTimers<Owner>>,
  ) {
    this.#owner = owner;
    this.#actions = actions;
    this.#random = random;
    this.#queue = queue;
  }

  /** When `expire` has to be called next, or `Infinity`. */
  nextDeadline(): number {
    return Math.min(
      this.#handshakeWantedAt,
      this.#retransmitHandshakeAt,
      this.#newHandshakeAt,
      this.#keepaliveAt,
      this.#persistentKeepaliveAt,
      this.#pendingHandshakeEndsAt,
      this.#zeroKeyMaterialAt,
    );
  }

  /** When the first of the initiations that nobody answered left, or `undefined` if there is none. */
  get unansweredSinceMs(): number | undefined {
    return this.#unansweredSinceMs === NEVER ? undefined : this.#unansweredSinceMs;
  }

  expire(nowMs: number): void {
    if (nowMs >= this.#zeroKeyMaterialAt) {
      this.#zeroKeyMaterialAt = NEVER;
      this.#actions.zeroKeyMaterial(this.#owner, nowMs);
    }
    if (nowMs >= this.#pendingHandshakeEndsAt) {
      this.#pendingHandshakeEndsAt = NEVER;
      this.#actions.dropPendingHandshake(this.#owner);
    }
    if (nowMs >= this.#retransmitHandshakeAt) {
      this.#retransmitHandshakeAt = NEVER;
      this.#retransmitOrGiveUp(nowMs);
    }
    if (nowMs >= this.#newHandshakeAt) {
      this.#newHandshakeAt = NEVER;
      this.#actions.forgetSource(this.#owner);
      this.handshakeWanted(nowMs);
    }
    if (nowMs >= this.#keepaliveAt) {
      this.#keepaliveAt = NEVER;
      this.#actions.sendKeepalive(this.#owner, nowMs);
      if (this.#isAnotherKeepaliveDue) this.dataReceived(nowMs);
      this.#isAnotherKeepaliveDue = false;
    }
    if (nowMs >= this.#persistentKeepaliveAt) {
      this.#persistentKeepaliveAt = NEVER;
      this.#restartPersistentKeepalive(nowMs);
      this.#actions.sendKeepalive(this.#owner, nowMs);
    }
    if (nowMs >= this.#handshakeWantedAt) {
      this.#handshakeWantedAt = NEVER;
      this.#actions.sendHandshakeInitiation(this.#owner, false, nowMs);
    }
  }

  /**
   * A session is needed. Starts an attempt now, or REKEY_TIMEOUT after the last handshake message (§6.2), and
   * gives an attempt under way another REKEY_ATTEMPT_TIME (§6.4).
   */
  handshakeWanted(nowMs: number): void {
    this.#attemptStartedAt = nowMs;
    if (this.#retransmitHandshakeAt !== NEVER || this.#handshakeWantedAt !== NEVER) return;
    this.#handshakeWantedAt = Math.max(nowMs, this.#handshakeSentAt + REKEY_TIMEOUT_MS);
    this.#announce(this.#handshakeWantedAt);
  }

  handshakeInitiated(nowMs: number, isRetry: boolean): void {
    if (!isRetry) this.#attemptStartedAt = nowMs;
    this.#unansweredSinceMs = Math.min(this.#unansweredSinceMs, nowMs);
    this.#handshakeSentAt = nowMs;
    this.#handshakeWantedAt = NEVER;
    this.#pendingHandshakeEndsAt = NEVER;
    this.#retransmitHandshakeAt = nowMs + REKEY_TIMEOUT_MS + this.#jitter();
    this.#announce(this.#retransmitHandshakeAt);
  }

  /** We sent a response, which an initiation of our own would cross. */
  handshakeAnswered(nowMs: number): void {
    this.#handshakeSentAt = nowMs;
  }

  handshakeCompleted(): void {
    this.#unansweredSinceMs = NEVER;
    this.#retransmitHandshakeAt = NEVER;
    this.#handshakeWantedAt = NEVER;
    this.#pendingHandshakeEndsAt = NEVER;
  }

  /** The peer's handshake completed while ours was under way: ours ends at `endsAtMs`. */
  pendingHandshakeOutlived(endsAtMs: number): void {
    this.#pendingHandshakeEndsAt = endsAtMs;
    this.#announce(endsAtMs);
  }

  sessionDerived(nowMs: number): void {
    this.#zeroKeyMaterialAt = nowMs + 3 * REJECT_AFTER_TIME_MS;
    this.#announce(this.#zeroKeyMaterialAt);
  }

  dataSent(nowMs: number): void {
    if (this.#newHandshakeAt !== NEVER) return;
    this.#newHandshakeAt = nowMs + KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS + this.#jitter();
    this.#announce(this.#newHandshakeAt);
  }

  dataReceived(nowMs: number): void {
    if (this.#keepaliveAt !== NEVER) {
      this.#isAnotherKeepaliveDue = true;
      return;
    }
    this.#keepaliveAt = nowMs + KEEPALIVE_TIMEOUT_MS;
    this.#announce(this.#keepaliveAt);
  }

  /** Keepalive, data or handshake: after this we owe the peer no keepalive. */
  authenticatedMessageSent(nowMs: number): void {
    this.#keepaliveAt = NEVER;
    this.#restartPersistentKeepalive(nowMs);
  }

  /** The peer owes us no answer any more. */
  authenticatedMessageReceived(nowMs: number): void {
    this.#newHandshakeAt = NEVER;
    this.#restartPersistentKeepalive(nowMs);
  }

  /**
   * @param intervalMs 0 switches persistent keepalives off.
   * @param isDue Send one at once, as when the interval was 0 before, or when the link came up.
   */
  setPersistentKeepalive(intervalMs: number, nowMs: number, isDue: boolean): void {
    this.#persistentKeepaliveMs = intervalMs;
    this.#persistentKeepaliveAt = NEVER;
    if (intervalMs === 0) return;
    this.#persistentKeepaliveAt = isDue ? nowMs : nowMs + intervalMs;
    this.#announce(this.#persistentKeepaliveAt);
  }

  /** The own key changed: the next handshake need not keep its distance from the last one. */
  allowHandshake(): void {
    this.#handshakeSentAt = LONG_AGO;
  }

  /** The link went down: nothing is owed, and a new handshake may start at once. */
  stop(): void {
    this.#unansweredSinceMs = NEVER;
    this.#handshakeWantedAt = NEVER;
    this.#retransmitHandshakeAt = NEVER;
    this.#newHandshakeAt = NEVER;
    this.#keepaliveAt = NEVER;
    this.#persistentKeepaliveAt = NEVER;
    this.#pendingHandshakeEndsAt = NEVER;
    this.#zeroKeyMaterialAt = NEVER;
    this.#isAnotherKeepaliveDue = false;
    this.allowHandshake();
  }

  #retransmitOrGiveUp(nowMs: number): void {
    if (nowMs - this.#attemptStartedAt < REKEY_ATTEMPT_TIME_MS) {
      this.#actions.forgetSource(this.#owner);
      this.#actions.sendHandshakeInitiation(this.#owner, true, nowMs);
      return;
    }
    this.#keepaliveAt = NEVER;
    if (this.#zeroKeyMaterialAt === NEVER) this.sessionDerived(nowMs); // wipe what the half handshake left
    this.#actions.giveUpHandshake(this.#owner, nowMs);
  }

  #restartPersistentKeepalive(nowMs: number): void {
    if (this.#persistentKeepaliveMs === 0) return;
    this.#persistentKeepaliveAt = nowMs + this.#persistentKeepaliveMs;
    this.#announce(this.#persistentKeepaliveAt);
  }

  #announce(deadline: number): void {
    if (deadline < this.queuedAt) this.#queue.moveEarlier(this, deadline);
  }

  #jitter(): number {
    return Math.floor(this.#random() * (REKEY_TIMEOUT_JITTER_MS + 1));
  }
}

const NEVER = Infinity;
const LONG_AGO = -REKEY_TIMEOUT_MS;
