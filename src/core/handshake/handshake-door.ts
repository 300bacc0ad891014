import * as cookieReply from '../../wire/cookie-reply.js';
import { ENDPOINT_WORDS } from '../../wire/endpoint.js';
import * as handshakeResponse from '../../wire/handshake-response.js';
import { MessageType, messageType } from '../../wire/messages.js';
import type { DeviceEvents } from '../device-events.js';
import type { DeviceParts } from '../device-parts.js';
import type { PacketBatch } from '../packets/packet-batch.js';
import { Verdict } from '../packets/verdict.js';
import type { Sessions } from '../session/sessions.js';
import type { CookieChecker } from './cookie.js';
import type { HandshakeQueue } from './handshake-queue.js';
import type { HandshakeRejection } from './handshake-rejection.js';
import type { RateLimiter } from './rate-limiter.js';
import type { RefusalLog } from './refusal-log.js';

/** The parts that the door shares with `HandshakeExchange`. */
export interface HandshakeDoorParts {
  readonly queue: HandshakeQueue;
  readonly cookies: CookieChecker;
  readonly limiter: RateLimiter;
  readonly refusals: RefusalLog;
}

/**
 * Judges handshake messages and cookie replies as they arrive, by checks that cost a map look-up or a hash.
 *
 * ```text
 *  initiation      ──────────────────────────────────┬▶ MAC1 ────────────────────────▶ queue
 *  response        ─▶ a handshake of ours waits for it ┴▶ under load: MAC2, rate, MAC1 ─▶ queue of proven messages
 *  cookie reply    ─▶ a message of ours waits for it ───▶ opened here
 * ```
 *
 * A sender without our public key never passes the door and can neither occupy the queue nor put the device under load.
 * A cookie reply is opened at once: this costs no more than opening a data message, which any sender that knows an index
 * can also cause.
 *
 * Source: whitepaper §5.1, §5.3, §5.4.7.
 */
export class HandshakeDoor {
  readonly #sessions: Sessions;
  readonly #events: DeviceEvents;
  readonly #queue: HandshakeQueue;
  readonly #cookies: CookieChecker;
  readonly #limiter: RateLimiter;
  readonly #refusals: RefusalLog;

  constructor({ sessions, events }: DeviceParts, { queue, cookies, limiter, refusals }: HandshakeDoorParts) {
    this.#sessions = sessions;
    this.#events = events;
    this.#queue = queue;
    this.#cookies = cookies;
    this.#limiter = limiter;
    this.#refusals = refusals;
  }

  /** @returns `Handshake` for a message that was queued or used, else the verdict of the refusal. */
  judge(batch: PacketBatch, row: number, nowMs: number): Verdict {
    const at = batch.offset[row];
    const length = batch.length[row];
    const message = batch.bytes.subarray(at, at + length);
    const endpointAt = batch.endpoint[row] * ENDPOINT_WORDS;
    switch (messageType(batch.bytes, at, length)) {
      case MessageType.HandshakeInitiation:
        return this.#queueMessage(message, batch, endpointAt, nowMs);
      case MessageType.HandshakeResponse:
        return this.#sessions.awaitingPeerAt(handshakeResponse.receiverIndex(message)) === undefined
          ? this.#refuse('no-handshake', batch, endpointAt, nowMs)
          : this.#queueMessage(message, batch, endpointAt, nowMs);
      case MessageType.CookieReply: {
        const rejection = this.#consumeCookieReply(message, nowMs);
        return rejection === undefined ? Verdict.Handshake : this.#refuse(rejection, batch, endpointAt, nowMs);
      }
      default:
        return Verdict.Malformed;
    }
  }

  #queueMessage(message: Uint8Array, batch: PacketBatch, endpointAt: number, nowMs: number): Verdict {
    const isProven = this.#isProven(message, batch, endpointAt, nowMs);
    if (this.#queue.isFull && !isProven) return Verdict.HandshakeQueueFull; // saves a useless hash
    if (!this.#cookies.hasValidMac1(message)) return this.#refuse('mac1', batch, endpointAt, nowMs);
    if (isProven && !this.#limiter.allow(batch.endpointWords, endpointAt, nowMs))
      return this.#refuse('rate-limit', batch, endpointAt, nowMs);
    const isQueued = isProven
      ? this.#queue.pushProven(message, batch.endpointWords, endpointAt)
      : this.#push(message, batch, endpointAt, nowMs);
    return isQueued ? Verdict.Handshake : Verdict.HandshakeQueueFull;
  }

  #push(message: Uint8Array, batch: PacketBatch, endpointAt: number, nowMs: number): boolean {
    const wasUnderLoad = this.#queue.isUnderLoad(nowMs);
    const isQueued = this.#queue.push(message, batch.endpointWords, endpointAt, nowMs);
    if (!wasUnderLoad && this.#queue.isUnderLoad(nowMs)) this.#events.push('under-load', undefined, nowMs);
    return isQueued;
  }

  /** §5.3: under load a right MAC2 proves that the sender owns its address. */
  #isProven(message: Uint8Array, batch: PacketBatch, endpointAt: number, nowMs: number): boolean {
    if (!this.#queue.isUnderLoad(nowMs)) return false;
    return this.#cookies.hasValidMac2(message, batch.endpointBytes, endpointAt * 4, nowMs);
  }

  /** A cookie reply proves nothing but the cookie: it never moves an endpoint. */
  #consumeCookieReply(message: Uint8Array, nowMs: number): HandshakeRejection | undefined {
    const peer = this.#sessions.peerAt(cookieReply.receiverIndex(message));
    if (peer === undefined || !peer.cookieJar.awaitsReply) return 'no-handshake';
    if (!peer.cookieJar.consumeReply(message, nowMs)) return 'cookie';
    peer.note('under-load', nowMs);
    return undefined;
  }

  #refuse(rejection: HandshakeRejection, batch: PacketBatch, endpointAt: number, nowMs: number): Verdict {
    this.#refusals.note(rejection, batch.endpointWords, endpointAt, nowMs);
    return Verdict.HandshakeRejected;
  }
}
