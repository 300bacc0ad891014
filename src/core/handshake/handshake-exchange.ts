import { Endpoint } from '../../wire/endpoint.js';
import * as handshakeResponse from '../../wire/handshake-response.js';
import { HANDSHAKE_INITIATION_BYTES } from '../../wire/messages.js';
import { compareTai64n } from '../../wire/tai64n.js';
import { FLOOD_INTERVAL_MS, REKEY_TIMEOUT_MS } from '../constants.js';
import type { DeviceContext } from '../device-context.js';
import type { Transmitter } from '../packets/transmitter.js';
import { secretBytes } from '../secret-bytes.js';
import { Keypair } from '../session/keypair.js';
import { Peer } from '../session/peer.js';
import { CookieChecker } from './cookie.js';
import {
  type ConsumedInitiation,
  consumeInitiation,
  consumeResponse,
  createResponse,
  type TransportKeys,
} from './handshake.js';
import { HandshakeDoor } from './handshake-door.js';
import { HandshakeQueue } from './handshake-queue.js';
import type { HandshakeRejection } from './handshake-rejection.js';
import { RateLimiter } from './rate-limiter.js';
import { RefusalLog } from './refusal-log.js';

const EPHEMERAL_BYTES = 32;
/** One unit is a cookie reply: two or three hashes and a cipher, about 10 µs. */
const COOKIE_REPLY_WORK = 1;
/** An X25519 operation costs about four of them. */
const X25519_WORK = 4;
const INITIATION_WORK = 4 * X25519_WORK;
const RESPONSE_WORK = 2 * X25519_WORK;
/** Units that are spent on handshake messages per turn, since data waits meanwhile: two handshakes. */
const WORK_PER_TURN = 2 * INITIATION_WORK;
/** Units that proven messages may take first: the rest is for cookies, or nobody else could prove anything. */
const PROVEN_WORK_PER_TURN = INITIATION_WORK;

/**
 * Handshakes of a device: judges the messages that come in, answers them, and begins sessions.
 *
 * A message is refused with a reason that is counted, the cheapest check first: what `HandshakeDoor` sees, cookie and
 * rate, then the static key, the peer, the timestamp.
 *
 * Source: whitepaper §5.1, §5.3, §5.4.1–§5.4.7.
 */
export class HandshakeExchange {
  readonly queue = new HandshakeQueue();
  readonly cookies: CookieChecker;
  readonly door: HandshakeDoor;
  /** Mistakes of strangers, and of peers that cannot be made out. */
  readonly refusals: RefusalLog;

  readonly #context: DeviceContext;
  readonly #transmitter: Transmitter;
  readonly #peerByKey: (publicKey: Uint8Array) => Peer | undefined;
  readonly #limiter: RateLimiter;
  readonly #endpoint = new Endpoint();

  constructor(
    context: DeviceContext,
    transmitter: Transmitter,
    peerByKey: (publicKey: Uint8Array) => Peer | undefined,
  ) {
    this.#context = context;
    this.#transmitter = transmitter;
    this.#peerByKey = peerByKey;
    this.#limiter = new RateLimiter(context.environment);
    this.cookies = new CookieChecker(context.crypto, context.environment);
    this.refusals = new RefusalLog(context.counters);
    const { queue, cookies, refusals } = this;
    this.door = new HandshakeDoor(context, { queue, cookies, refusals, limiter: this.#limiter });
  }

  /** Answers some of the messages that wait. Call it again while `queue.count` is not 0. */
  process(nowMs: number): void {
    for (let work = 0; work < WORK_PER_TURN && this.#transmitter.hasRoom() && this.queue.count > 0; ) {
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
    if (!this.#context.isReady) return 'no-private-key';
    const refused = isProven ? undefined : this.#refuseUnderLoad(message, nowMs);
    if (refused !== undefined) return refused;
    return message.length === HANDSHAKE_INITIATION_BYTES
      ? this.#consumeInitiation(message, nowMs)
      : this.#consumeResponse(message, nowMs);
  }

  /** §5.3: under load a sender has to prove that it owns its address, and may then ask 20 times a second. */
  #refuseUnderLoad(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    if (!this.queue.isUnderLoad(nowMs)) return undefined;
    const { words, bytes } = this.#endpoint;
    if (!this.cookies.hasValidMac2(message, bytes, 0, nowMs)) {
      const reply = this.cookies.createReply(message, bytes, 0, nowMs);
      this.#transmitter.sendHandshakeMessage(reply, words, 0);
      return 'under-load';
    }
    return this.#limiter.allow(words, 0, nowMs) ? undefined : 'rate-limit';
  }

  #consumeInitiation(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const { crypto, identity } = this.#context;
    let peer: Peer | undefined;
    const consumed = consumeInitiation(crypto, identity!, message, (publicKey) => {
      peer = this.#peerByKey(publicKey);
      return peer;
    });
    if (typeof consumed === 'string' || peer === undefined) {
      if (typeof consumed === 'string' && peer !== undefined) peer.note(consumed, nowMs);
      return typeof consumed === 'string' ? consumed : 'unknown-peer';
    }
    try {
      const rejection = this.#judgeTimestamp(peer, consumed, nowMs);
      if (rejection === undefined) return this.#respond(peer, consumed, message.length, nowMs);
      peer.note(rejection, nowMs);
      return rejection;
    } finally {
      consumed.wipe();
    }
  }

  /** §5.1: strictly greater than every stamp before, kept for the life of the peer; and not in a flood. */
  #judgeTimestamp(peer: Peer, consumed: ConsumedInitiation, nowMs: number): HandshakeRejection | undefined {
    if (compareTai64n(consumed.timestamp, 0, peer.greatestTimestamp, 0) <= 0) return 'replayed-timestamp';
    if (nowMs - peer.initiationConsumedMs < FLOOD_INTERVAL_MS) return 'flood';
    return undefined;
  }

  #respond(
    peer: Peer,
    consumed: ConsumedInitiation,
    lengthBytes: number,
    nowMs: number,
  ): HandshakeRejection | undefined {
    const { crypto, environment, indices, releaseIndex } = this.#context;
    const ephemeralPrivate = secretBytes(EPHEMERAL_BYTES);
    environment.random(ephemeralPrivate);
    const localIndex = indices.allocate(peer);
    const created = createResponse(crypto, consumed, peer, ephemeralPrivate, localIndex);
    ephemeralPrivate.fill(0);
    if (created === undefined) {
      releaseIndex(localIndex);
      return 'low-order-point';
    }

    peer.greatestTimestamp = consumed.timestamp;
    peer.initiationConsumedMs = nowMs;
    this.#context.heardFrom(peer, lengthBytes, this.#endpoint.words, 0, nowMs);
    this.#begin(peer, created.keys, localIndex, false, nowMs);

    peer.cookieJar.sign(created.message, nowMs);
    this.#transmitter.sendHandshakeMessage(created.message, this.#endpoint.words, 0);
    peer.txBytes += created.message.length;
    peer.timers.handshakeAnswered(nowMs);
    peer.timers.authenticatedMessageSent(nowMs);
    return undefined;
  }

  #consumeResponse(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const { identity, indices } = this.#context;
    const peer = indices.get(handshakeResponse.receiverIndex(message));
    if (!(peer instanceof Peer) || peer.pendingHandshake === undefined) return 'no-handshake';

    const { state, localIndex } = peer.pendingHandshake;
    const keys = consumeResponse(identity!, peer, state, message);
    if (typeof keys === 'string') {
      peer.note(keys, nowMs);
      return keys;
    }
    state.wipe();
    peer.pendingHandshake = undefined;
    this.#context.heardFrom(peer, message.length, this.#endpoint.words, 0, nowMs);
    this.#begin(peer, keys, localIndex, true, nowMs);
    this.completed(peer, nowMs);
    peer.isKeepaliveOwed = true; // the responder may not send before it heard from us under the new keypair
    this.#context.requestFlush(peer);
    return undefined;
  }

  /** A session is confirmed on our side: what waited for it may go. */
  completed(peer: Peer, nowMs: number): void {
    peer.timers.handshakeCompleted();
    this.#endPendingHandshake(peer, nowMs);
    peer.hasAskedForLastRekey = false;
    peer.lastTrouble = undefined;
    peer.lastHandshakeUnixMs = this.#context.environment.unixTimeMs();
    this.#context.events.push('handshake', peer, nowMs);
    this.#context.requestFlush(peer);
  }

  /** A response to an initiation of ours may still be on its way, unless the initiation is too old for that. */
  #endPendingHandshake(peer: Peer, nowMs: number): void {
    const { pendingHandshake } = peer;
    if (pendingHandshake === undefined) return;
    const endsAtMs = pendingHandshake.sentMs + REKEY_TIMEOUT_MS;
    if (endsAtMs > nowMs) peer.timers.pendingHandshakeOutlived(endsAtMs);
    else peer.dropPendingHandshake(this.#context.releaseIndex);
  }

  #begin(peer: Peer, keys: TransportKeys, localIndex: number, isInitiator: boolean, nowMs: number): void {
    const { aead, identity, indices, keypairsByRemoteIndex } = this.#context;
    const keySlot = aead.installKeys(keys.sendKey, keys.receiveKey);
    const { remoteIndex } = keys;
    keys.wipe();
    const winsTie = identity!.isBefore(peer.staticPublic) !== isInitiator; // the end with the higher key wins
    const keypair = new Keypair({ peer, keySlot, localIndex, remoteIndex, isInitiator, winsTie, createdMs: nowMs });
    indices.replace(localIndex, keypair);
    keypairsByRemoteIndex.set(remoteIndex, keypair);
    peer.keypairs.begin(keypair);
    peer.timers.sessionDerived(nowMs);
  }
}

/** Units of work that refusals cost where it is not one X25519 operation. */
const REFUSAL_WORK: Partial<Record<HandshakeRejection, number>> = {
  'no-private-key': 0,
  'no-handshake': 0,
  'rate-limit': COOKIE_REPLY_WORK,
  'under-load': COOKIE_REPLY_WORK,
  'wrong-response': RESPONSE_WORK,
};
