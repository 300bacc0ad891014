import { Endpoint } from '../../wire/endpoint.js';
import * as handshakeResponse from '../../wire/handshake-response.js';
import { HANDSHAKE_INITIATION_BYTES } from '../../wire/messages.js';
import { compareTai64n } from '../../wire/tai64n.js';
import { FLOOD_INTERVAL_MS, KEY_BYTES, REKEY_TIMEOUT_MS } from '../constants.js';
import type { DeviceParts } from '../device-parts.js';
import { secretBytes } from '../secret-bytes.js';
import type { Peer } from '../session/peer.js';
import { CookieChecker } from './cookie.js';
import { consumeResponse, createResponse, type OpenedInitiation, openStatic, openTimestamp } from './handshake.js';
import { HandshakeDoor } from './handshake-door.js';
import { HandshakeQueue } from './handshake-queue.js';
import type { HandshakeRejection } from './handshake-rejection.js';
import { RateLimiter } from './rate-limiter.js';
import { RefusalLog } from './refusal-log.js';

/** One unit is a cookie reply: two or three hashes and a cipher, about 10 µs. */
const COOKIE_REPLY_WORK = 1;
/** An X25519 operation costs about four cookie replies. */
const X25519_WORK = 4;
const INITIATION_WORK = 4 * X25519_WORK;
const RESPONSE_WORK = 2 * X25519_WORK;
/** The budget for handshake messages per turn, two handshakes, since data waits meanwhile. */
const WORK_PER_TURN = 2 * INITIATION_WORK;
/**
 * Units that proven messages may take first. The rest is reserved for cookies, so that other senders can prove their
 * addresses.
 */
const PROVEN_WORK_PER_TURN = INITIATION_WORK;

/**
 * Handshakes of a device: judges inbound messages, answers them, and begins sessions.
 *
 * A message is refused with a reason that is counted, the cheapest check first: the checks of `HandshakeDoor`, cookie and
 * rate, then the static key, the peer, the timestamp.
 *
 * Source: whitepaper §5.1, §5.3, §5.4.1–§5.4.7.
 */
export class HandshakeExchange {
  readonly queue = new HandshakeQueue();
  readonly cookies: CookieChecker;
  readonly door: HandshakeDoor;
  /** Refused messages of strangers, and of peers that cannot be identified. */
  readonly refusals: RefusalLog;

  readonly #parts: DeviceParts;
  readonly #peerByKey: (publicKey: Uint8Array) => Peer | undefined;
  readonly #limiter: RateLimiter;
  readonly #endpoint = new Endpoint();

  constructor(parts: DeviceParts, peerByKey: (publicKey: Uint8Array) => Peer | undefined) {
    this.#parts = parts;
    this.#peerByKey = peerByKey;
    this.#limiter = new RateLimiter(parts.environment);
    this.cookies = new CookieChecker(parts.crypto, parts.environment);
    this.refusals = new RefusalLog(parts.counters);
    const { queue, cookies, refusals } = this;
    this.door = new HandshakeDoor(parts, { queue, cookies, refusals, limiter: this.#limiter });
  }

  /** Answers some of the waiting messages. Must be called again while `queue.count` is not 0. */
  process(nowMs: number): void {
    for (let work = 0; work < WORK_PER_TURN && this.#parts.outbox.hasRoom() && this.queue.count > 0; ) {
      const { count, provenCount } = this.queue;
      const isProven = provenCount > 0 && (work < PROVEN_WORK_PER_TURN || count === provenCount);
      const { words } = this.#endpoint;
      const message = isProven ? this.queue.shiftProven(words) : this.queue.shift(words);
      work += this.#answer(message!, isProven, nowMs);
    }
  }

  /** @returns The units of work that the message cost. */
  #answer(message: Uint8Array, isProven: boolean, nowMs: number): number {
    const rejection = this.#consume(message, isProven, nowMs);
    if (rejection === undefined) return message.length === HANDSHAKE_INITIATION_BYTES ? INITIATION_WORK : RESPONSE_WORK;
    this.refusals.note(rejection, this.#endpoint.words, 0, nowMs);
    return REFUSAL_WORK[rejection] ?? X25519_WORK;
  }

  #consume(message: Uint8Array, isProven: boolean, nowMs: number): HandshakeRejection | undefined {
    if (!this.#parts.link.isReady) return 'no-private-key';
    const refused = isProven ? undefined : this.#refuseUnderLoad(message, nowMs);
    if (refused !== undefined) return refused;
    return message.length === HANDSHAKE_INITIATION_BYTES
      ? this.#consumeInitiation(message, nowMs)
      : this.#consumeResponse(message, nowMs);
  }

  /** §5.3: under load a sender must prove that it owns its address, and is then limited to 20 messages a second. */
  #refuseUnderLoad(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    if (!this.queue.isUnderLoad(nowMs)) return undefined;
    const { words, bytes } = this.#endpoint;
    if (!this.cookies.hasValidMac2(message, bytes, 0, nowMs)) {
      const reply = this.cookies.createReply(message, bytes, 0, nowMs);
      this.#parts.outbox.appendHandshakeMessage(reply, words, 0);
      return 'under-load';
    }
    return this.#limiter.allow(words, 0, nowMs) ? undefined : 'rate-limit';
  }

  #consumeInitiation(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const { crypto, link } = this.#parts;
    const opened = openStatic(crypto, link.identity!, message);
    if (typeof opened === 'string') return opened;
    try {
      const peer = this.#peerByKey(opened.staticPublic);
      if (peer === undefined) return 'unknown-peer';
      const rejection = this.#answerPeer(peer, opened, message, nowMs);
      if (rejection !== undefined) peer.note(rejection, nowMs);
      return rejection;
    } finally {
      opened.wipe();
    }
  }

  /** §5.1: the timestamp is strictly greater than every one before, kept for the life of the peer; and no flood. */
  #answerPeer(
    peer: Peer,
    opened: OpenedInitiation,
    message: Uint8Array,
    nowMs: number,
  ): HandshakeRejection | undefined {
    const timestamp = openTimestamp(opened, peer, message);
    if (typeof timestamp === 'string') return timestamp;
    if (compareTai64n(timestamp, 0, peer.greatestTimestamp, 0) <= 0) return 'replayed-timestamp';
    if (nowMs - peer.initiationConsumedMs < FLOOD_INTERVAL_MS) return 'flood';

    const { sessions } = this.#parts;
    const localIndex = sessions.allocate(peer);
    const created = this.#createResponse(peer, opened, localIndex);
    if (created === undefined) {
      sessions.release(localIndex);
      return 'low-order-point';
    }
    peer.greatestTimestamp = timestamp;
    peer.initiationConsumedMs = nowMs;
    sessions.heardFrom(peer, message.length, this.#endpoint.words, 0, nowMs);
    sessions.begin({
      peer,
      keys: created.keys,
      localIndex,
      isInitiator: false,
      winsTie: this.#winsTie(peer, false),
      nowMs,
    });
    this.#sendResponse(peer, created.message, nowMs);
    return undefined;
  }

  #createResponse(peer: Peer, opened: OpenedInitiation, localIndex: number): ReturnType<typeof createResponse> {
    const { crypto, environment } = this.#parts;
    const ephemeralPrivate = secretBytes(KEY_BYTES);
    environment.random(ephemeralPrivate);
    try {
      return createResponse(crypto, opened, peer, ephemeralPrivate, localIndex);
    } finally {
      ephemeralPrivate.fill(0);
    }
  }

  #sendResponse(peer: Peer, message: Uint8Array, nowMs: number): void {
    peer.cookieJar.sign(message, nowMs);
    this.#parts.outbox.appendHandshakeMessage(message, this.#endpoint.words, 0);
    peer.txBytes += message.length;
    peer.timers.handshakeAnswered(nowMs);
    peer.timers.authenticatedMessageSent(nowMs);
  }

  #consumeResponse(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const { link, sessions, outbox } = this.#parts;
    const peer = sessions.awaitingPeerAt(handshakeResponse.receiverIndex(message));
    if (peer?.pendingHandshake === undefined) return 'no-handshake';

    const { state, localIndex } = peer.pendingHandshake;
    const keys = consumeResponse(link.identity!, peer, state, message);
    if (typeof keys === 'string') {
      peer.note(keys, nowMs);
      return keys;
    }
    state.wipe();
    peer.pendingHandshake = undefined;
    sessions.heardFrom(peer, message.length, this.#endpoint.words, 0, nowMs);
    sessions.begin({ peer, keys, localIndex, isInitiator: true, winsTie: this.#winsTie(peer, true), nowMs });
    this.completed(peer, nowMs);
    peer.isKeepaliveOwed = true; // the responder must not send before it received a message under the new keypair
    outbox.requestFlush(peer);
    return undefined;
  }

  /** Tests whether a keypair wins when both ends initiate at once: the end with the higher key wins. */
  #winsTie(peer: Peer, isInitiator: boolean): boolean {
    return this.#parts.link.identity!.isBefore(peer.staticPublic) !== isInitiator;
  }

  /** Completes a session that is confirmed on our side: staged packets may be sent. */
  completed(peer: Peer, nowMs: number): void {
    peer.timers.handshakeCompleted();
    this.#endPendingHandshake(peer, nowMs);
    peer.hasAskedForLastRekey = false;
    peer.lastTrouble = undefined;
    peer.lastHandshakeUnixMs = this.#parts.environment.unixTimeMs();
    this.#parts.events.push('handshake', peer, nowMs);
    this.#parts.outbox.requestFlush(peer);
  }

  /** Ends our own initiation, once its response can no longer be in flight. */
  #endPendingHandshake(peer: Peer, nowMs: number): void {
    const { pendingHandshake } = peer;
    if (pendingHandshake === undefined) return;
    const endsAtMs = pendingHandshake.sentMs + REKEY_TIMEOUT_MS;
    if (endsAtMs > nowMs) peer.timers.pendingHandshakeOutlived(endsAtMs);
    else peer.dropPendingHandshake(this.#parts.sessions.release);
  }
}

/** Costs of refusals that differ from one X25519 operation. */
const REFUSAL_WORK: Partial<Record<HandshakeRejection, number>> = {
  'no-private-key': 0,
  'no-handshake': 0,
  'rate-limit': COOKIE_REPLY_WORK,
  'under-load': COOKIE_REPLY_WORK,
  'wrong-response': RESPONSE_WORK,
};
