import * as cookieReply from '../../wire/cookie-reply.js';
import { copyEndpoint, Endpoint, endpointEquals } from '../../wire/endpoint.js';
import * as handshakeResponse from '../../wire/handshake-response.js';
import { MessageType, messageType } from '../../wire/messages.js';
import { compareTai64n } from '../../wire/tai64n.js';
import { FLOOD_INTERVAL_MS, REKEY_TIMEOUT_MS } from '../constants.js';
import type { DeviceContext } from '../device-context.js';
import type { Transmitter } from '../packets/transmitter.js';
import { Keypair } from '../session/keypair.js';
import { Peer } from '../session/peer.js';
import { CookieChecker } from './cookie.js';
import {
  type ConsumedInitiation,
  consumeInitiation,
  consumeResponse,
  createResponse,
  type HandshakeRejection,
  type TransportKeys,
} from './handshake.js';
import { HandshakeQueue } from './handshake-queue.js';
import { RateLimiter } from './rate-limiter.js';

const EPHEMERAL_BYTES = 32;
/** What is spent on handshake messages per turn, in cookie replies: data is waiting meanwhile. */
const WORK_PER_TURN = 6;
/** A message that is not refused under load may cost four X25519 operations. */
const HANDSHAKE_WORK = 4;
const COOKIE_REPLY_WORK = 1;

/** The last refusal of a kind whose sender is not known beyond doubt. */
export interface Refusal {
  atMs: number;
  readonly from: Endpoint;
}

/**
 * Handshakes of a device: judges the messages that come in, answers them, and begins sessions.
 *
 * A message is refused with a reason that is counted, in the order in which the checks cost:
 * MAC1, cookie and rate, then the static key, the peer, the timestamp.
 *
 * Source: whitepaper §5.1, §5.3, §5.4.1–§5.4.7.
 */
export class HandshakeExchange {
  readonly queue = new HandshakeQueue();
  readonly cookies: CookieChecker;
  /** For `explain`: what strangers, or peers that we cannot make out, got wrong last. */
  readonly refusals = new Map<HandshakeRejection, Refusal>();

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
  }

  /** Looks at some of the messages that wait. Call again while `queue.count` is not 0. */
  process(nowMs: number): void {
    for (let work = 0; work < WORK_PER_TURN && this.#transmitter.hasRoom(); ) {
      const message = this.queue.shift(this.#endpoint.words);
      if (message === undefined) return;
      const rejection = this.#consume(message, nowMs);
      work += rejection === 'under-load' ? COOKIE_REPLY_WORK : HANDSHAKE_WORK;
      if (rejection !== undefined) this.refuse(rejection, this.#endpoint.words, 0, nowMs);
    }
  }

  /** Counts a refusal of a message from the endpoint record at `at` (in words). */
  refuse(rejection: HandshakeRejection, endpointWords: Int32Array, at: number, nowMs: number): void {
    this.#context.counters.countRejection(rejection);
    const refusal = this.#refusalOf(rejection);
    refusal.atMs = nowMs;
    copyEndpoint(endpointWords, at, refusal.from.words, 0);
  }

  /** Made once for each kind: refusals may come in by the thousand. */
  #refusalOf(rejection: HandshakeRejection): Refusal {
    let refusal = this.refusals.get(rejection);
    if (refusal === undefined) {
      refusal = { atMs: 0, from: new Endpoint() };
      this.refusals.set(rejection, refusal);
    }
    return refusal;
  }

  #consume(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    if (!this.#context.isReady) return 'no-private-key';
    const type = messageType(message, 0, message.length);
    if (type === MessageType.CookieReply) return this.#consumeCookieReply(message, nowMs);
    const refused = this.#refuseUnderLoad(message, nowMs);
    if (refused !== undefined) return refused;
    return type === MessageType.HandshakeInitiation
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

  /** A cookie reply is proof of nothing but the cookie: it never moves an endpoint. */
  #consumeCookieReply(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const entry = this.#context.indices.get(cookieReply.receiverIndex(message));
    if (entry === undefined) return 'no-handshake';
    const peer = entry instanceof Peer ? entry : entry.peer;
    if (!peer.cookieJar.consumeReply(message, nowMs)) return 'cookie';
    peer.note('under-load', nowMs);
    return undefined;
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
    const ephemeralPrivate = new Uint8Array(EPHEMERAL_BYTES);
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
    this.#heardFrom(peer, lengthBytes, nowMs);
    this.#begin(peer, created.keys, localIndex, false, nowMs);

    peer.cookieJar.sign(created.message, nowMs);
    this.#transmitter.sendHandshakeMessage(created.message, peer.endpoint!.words, 0);
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
    this.#heardFrom(peer, message.length, nowMs);
    this.#begin(peer, keys, localIndex, true, nowMs);
    this.completed(peer);
    peer.isKeepaliveOwed = true; // the responder may not send before it heard from us under the new keypair
    this.#context.requestFlush(peer);
    return undefined;
  }

  /** A session is confirmed on our side: what waited for it may go. */
  completed(peer: Peer): void {
    peer.timers.handshakeCompleted();
    peer.hasAskedForLastRekey = false;
    peer.lastTrouble = undefined;
    peer.lastHandshakeUnixMs = this.#context.environment.unixTimeMs();
    this.#context.requestFlush(peer);
  }

  #begin(peer: Peer, keys: TransportKeys, localIndex: number, isInitiator: boolean, nowMs: number): void {
    const { aead, identity, indices, keypairsByRemoteIndex } = this.#context;
    const keySlot = aead.installKeys(keys.sendKey, keys.receiveKey);
    const { remoteIndex } = keys;
    keys.wipe();
    const keypair = new Keypair({ peer, keySlot, localIndex, remoteIndex, isInitiator, createdMs: nowMs });
    indices.replace(localIndex, keypair);
    keypairsByRemoteIndex.set(remoteIndex, keypair);
    const isCrossed = peer.keypairs.begin(keypair);
    // Both ends are initiators: unless one of them lets the other go first, they rekey twice as often, for ever (§6.2).
    if (isCrossed && identity?.precedes(peer.staticPublic)) keypair.rekeyDelayMs = REKEY_TIMEOUT_MS;
    peer.timers.sessionDerived(nowMs);
  }

  /** An authentic handshake message: the peer is where it came from (§2.1). */
  #heardFrom(peer: Peer, lengthBytes: number, nowMs: number): void {
    const { words } = this.#endpoint;
    if (peer.endpoint === undefined || !endpointEquals(peer.endpoint.words, 0, words, 0))
      peer.endpoint = this.#endpoint.clone();
    peer.rxBytes += lengthBytes;
    peer.timers.authenticatedMessageReceived(nowMs);
  }
}
