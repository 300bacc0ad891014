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
  /** @param isRetry Whether this continues an attempt without an answer so far. */
  sendHandshakeInitiation(owner: Owner, isRetry: boolean, nowMs: number): void;
  /** Lets the system choose the source address anew, which may be the cause of missing answers. */
  forgetSource(owner: Owner): void;
  /** Drops the staged packets after REKEY_ATTEMPT_TIME without an answer. */
  giveUpHandshake(owner: Owner, nowMs: number): void;
  sendKeepalive(owner: Owner, nowMs: number): void;
  /** Drops a pending handshake that another session has overtaken and whose response would come too late. */
  dropPendingHandshake(owner: Owner): void;
  zeroKeyMaterial(owner: Owner, nowMs: number): void;
}

/**
 * The deadlines of one peer: the five timers of the protocol, a handshake that is wanted, and a handshake that was
 * overtaken.
 *
 * The timers hold no clock and no timer handle: callers report events with their times, read the next
 * deadline, and call `expire` once it has passed. Calling `expire` early or twice does nothing.
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

  /** Returns the time at which `expire` must be called next, or `Infinity`. */
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

  /** The time of the first unanswered initiation, or `undefined` if there is none. */
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
   * Requests a session. Starts an attempt now, or REKEY_TIMEOUT after the last handshake message (§6.2), and
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

  /** Records that we sent a response, which an initiation of our own would cross. */
  handshakeAnswered(nowMs: number): void {
    this.#handshakeSentAt = nowMs;
  }

  handshakeCompleted(): void {
    this.#unansweredSinceMs = NEVER;
    this.#retransmitHandshakeAt = NEVER;
    this.#handshakeWantedAt = NEVER;
    this.#pendingHandshakeEndsAt = NEVER;
  }

  /** Ends our pending handshake at `endsAtMs`, since the peer's handshake completed meanwhile. */
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

  /** Records that a keepalive, data or handshake message was sent: no keepalive is owed to the peer. */
  authenticatedMessageSent(nowMs: number): void {
    this.#keepaliveAt = NEVER;
    this.#restartPersistentKeepalive(nowMs);
  }

  /** Records that a message was received: the peer owes no answer any more. */
  authenticatedMessageReceived(nowMs: number): void {
    this.#newHandshakeAt = NEVER;
    this.#restartPersistentKeepalive(nowMs);
  }

  /**
   * @param intervalMs 0 switches persistent keepalives off.
   * @param isDue Whether a keepalive is sent at once, as after an interval of 0 or when the link came up.
   */
  setPersistentKeepalive(intervalMs: number, nowMs: number, isDue: boolean): void {
    this.#persistentKeepaliveMs = intervalMs;
    this.#persistentKeepaliveAt = NEVER;
    if (intervalMs === 0) return;
    this.#persistentKeepaliveAt = isDue ? nowMs : nowMs + intervalMs;
    this.#announce(this.#persistentKeepaliveAt);
  }

  /** Allows a handshake at once after the own key changed, without the distance to the last handshake. */
  allowHandshake(): void {
    this.#handshakeSentAt = LONG_AGO;
  }

  /** Clears all deadlines when the link goes down. A new handshake may then start at once. */
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
    if (this.#zeroKeyMaterialAt === NEVER) this.sessionDerived(nowMs); // wipes the state of the pending handshake
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
