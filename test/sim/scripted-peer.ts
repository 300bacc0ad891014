import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';

import {
  counterBytes,
  decryptAndHash,
  EMPTY,
  encryptAndHash,
  hash,
  initialState,
  kdf,
  mac,
  mixHash,
  mixKey,
  mixKeyForCipher,
  mixPresharedKey,
  type NoiseState,
  nonceOf,
  publicKeyOf,
  sharedSecret,
} from './plain-noise.js';

/** The faults of a scripted initiation. Absent fields are right. */
export interface InitiationScript {
  readonly timestamp: Uint8Array;
  readonly senderIndex?: number;
  readonly ephemeralPrivate: Uint8Array;
  /** Sent in place of the public key that belongs to `ephemeralPrivate`. */
  readonly ephemeralPublic?: Uint8Array;
  /** Sent in place of the own static public key. */
  readonly staticPublic?: Uint8Array;
  readonly cookie?: Uint8Array;
}

export interface ResponseScript {
  readonly senderIndex?: number;
  readonly ephemeralPrivate: Uint8Array;
  readonly ephemeralPublic?: Uint8Array;
  readonly presharedKey?: Uint8Array;
}

/** Both directions of one session, as seen from here. */
export interface ScriptedSession {
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly localIndex: number;
  readonly remoteIndex: number;
}

/**
 * A scripted WireGuard peer, honest or not: each message is one call.
 *
 * Written from the whitepaper alone, as readably as possible, and on other primitives than the device: it is the
 * second opinion on every byte of a handshake, and the source of messages that no honest peer would send.
 *
 * Source: whitepaper §5.4.
 */
export class ScriptedPeer {
  readonly staticPrivate: Uint8Array;
  readonly staticPublic: Uint8Array;
  readonly #remotePublic: Uint8Array;
  presharedKey = new Uint8Array(32);
  #state: NoiseState = { chainingKey: EMPTY, hash: EMPTY };
  #ephemeralPrivate: Uint8Array = EMPTY;
  #localIndex = 0;

  constructor(staticPrivate: Uint8Array, remotePublic: Uint8Array) {
    this.staticPrivate = staticPrivate;
    this.staticPublic = publicKeyOf(staticPrivate);
    this.#remotePublic = remotePublic;
  }

  /** §5.4.2 */
  createInitiation(script: InitiationScript): Uint8Array {
    const {
      ephemeralPrivate,
      ephemeralPublic = publicKeyOf(ephemeralPrivate),
      staticPublic = this.staticPublic,
    } = script;
    const state = initialState(this.#remotePublic);
    this.#localIndex = script.senderIndex ?? DEFAULT_INDEX;
    this.#ephemeralPrivate = ephemeralPrivate;

    mixKey(state, ephemeralPublic);
    mixHash(state, ephemeralPublic);
    const encryptedStatic = encryptAndHash(
      state,
      mixKeyForCipher(state, sharedSecret(ephemeralPrivate, this.#remotePublic)),
      staticPublic,
    );
    const staticStatic = equal(staticPublic, this.staticPublic)
      ? sharedSecret(this.staticPrivate, this.#remotePublic)
      : new Uint8Array(32);
    const encryptedTimestamp = encryptAndHash(state, mixKeyForCipher(state, staticStatic), script.timestamp);
    this.#state = state;

    const message = new Uint8Array(148);
    message[0] = 1;
    writeIndex(message, 4, this.#localIndex);
    message.set(ephemeralPublic, 8);
    message.set(encryptedStatic, 40);
    message.set(encryptedTimestamp, 88);
    return signMessage(message, this.#remotePublic, script.cookie);
  }

  /** §5.4.3, as initiator. @throws {Error} if the response is not the right answer to the last initiation. */
  consumeResponse(message: Uint8Array): ScriptedSession {
    const state = { ...this.#state };
    const ephemeral = message.slice(12, 44);
    mixHash(state, ephemeral);
    mixKey(state, ephemeral);
    mixKey(state, sharedSecret(this.#ephemeralPrivate, ephemeral));
    mixKey(state, sharedSecret(this.staticPrivate, ephemeral));
    const key = mixPresharedKey(state, this.presharedKey);
    decryptAndHash(state, key, message.slice(44, 60));
    return this.#session(state, readIndex(message, 4), true);
  }

  /** §5.4.2, as responder. @returns The initiator's static public key and its timestamp. */
  consumeInitiation(message: Uint8Array): { staticPublic: Uint8Array; timestamp: Uint8Array } {
    const state = initialState(this.staticPublic);
    const ephemeral = message.slice(8, 40);
    mixKey(state, ephemeral);
    mixHash(state, ephemeral);
    const staticKey = mixKeyForCipher(state, sharedSecret(this.staticPrivate, ephemeral));
    const staticPublic = decryptAndHash(state, staticKey, message.slice(40, 88));
    const timestampKey = mixKeyForCipher(state, sharedSecret(this.staticPrivate, staticPublic));
    const timestamp = decryptAndHash(state, timestampKey, message.slice(88, 116));
    this.#state = state;
    return { staticPublic, timestamp };
  }

  /** §5.4.3: answers the initiation that was consumed last. */
  createResponse(initiation: Uint8Array, script: ResponseScript): { message: Uint8Array; session: ScriptedSession } {
    const { ephemeralPrivate, ephemeralPublic = publicKeyOf(ephemeralPrivate) } = script;
    const state = { ...this.#state };
    this.#localIndex = script.senderIndex ?? DEFAULT_INDEX;
    mixKey(state, ephemeralPublic);
    mixHash(state, ephemeralPublic);
    mixKey(state, sharedSecret(ephemeralPrivate, initiation.slice(8, 40)));
    mixKey(state, sharedSecret(ephemeralPrivate, this.#remotePublic));
    const key = mixPresharedKey(state, script.presharedKey ?? this.presharedKey);
    const encryptedNothing = encryptAndHash(state, key, EMPTY);

    const message = new Uint8Array(92);
    message[0] = 2;
    writeIndex(message, 4, this.#localIndex);
    message.set(initiation.slice(4, 8), 8);
    message.set(ephemeralPublic, 12);
    message.set(encryptedNothing, 44);
    signMessage(message, this.#remotePublic);
    return { message, session: this.#session(state, readIndex(initiation, 4), false) };
  }

  /** §5.4.7: the cookie inside a reply to one of our messages. */
  openCookieReply(reply: Uint8Array, toMac1: Uint8Array): Uint8Array {
    return xchacha20poly1305(cookieKey(this.#remotePublic), reply.slice(8, 32), toMac1).decrypt(reply.slice(32, 64));
  }

  /** §5.4.7: what a responder under load sends. */
  createCookieReply(toMessage: Uint8Array, cookie: Uint8Array, nonce: Uint8Array): Uint8Array {
    const reply = new Uint8Array(64);
    reply[0] = 3;
    reply.set(toMessage.slice(4, 8), 4);
    reply.set(nonce, 8);
    reply.set(xchacha20poly1305(cookieKey(this.staticPublic), nonce, mac1Of(toMessage)).encrypt(cookie), 32);
    return reply;
  }

  #session(state: NoiseState, remoteIndex: number, isInitiator: boolean): ScriptedSession {
    const [first, second] = kdf(state.chainingKey, EMPTY, 2) as [Uint8Array, Uint8Array];
    const [sendKey, receiveKey] = isInitiator ? [first, second] : [second, first];
    return { sendKey, receiveKey, localIndex: this.#localIndex, remoteIndex };
  }
}

/** §5.4.6: a transport data message with any counter. The caller pads. */
export function sealMessage(session: ScriptedSession, counter: bigint, packet: Uint8Array): Uint8Array {
  const message = new Uint8Array(32 + packet.length);
  message[0] = 4;
  writeIndex(message, 4, session.remoteIndex);
  message.set(counterBytes(counter), 8);
  message.set(chacha20poly1305(session.sendKey, nonceOf(counter)).encrypt(packet), 16);
  return message;
}

/** @throws {Error} if the tag is wrong. */
export function openMessage(session: ScriptedSession, message: Uint8Array): { counter: bigint; packet: Uint8Array } {
  const counter = Buffer.from(message).readBigUInt64LE(8);
  return { counter, packet: chacha20poly1305(session.receiveKey, nonceOf(counter)).decrypt(message.slice(16)) };
}

/** Computes both MACs again, for a message that was changed (§5.4.4). */
export function signMessage(message: Uint8Array, receiverPublic: Uint8Array, cookie?: Uint8Array): Uint8Array {
  const macsAt = message.length - 32;
  message.set(mac(hash(LABEL_MAC1, receiverPublic), message.slice(0, macsAt)), macsAt);
  message.fill(0, macsAt + 16);
  if (cookie !== undefined) message.set(mac(cookie, message.slice(0, macsAt + 16)), macsAt + 16);
  return message;
}

/** @returns The MAC1 of an initiation or response. */
export function mac1Of(message: Uint8Array): Uint8Array {
  return message.slice(message.length - 32, message.length - 16);
}

/** @returns Twelve bytes: seconds since 1970 under the label 2^62, and nanoseconds (TAI64N). */
export function tai64nOf(unixMs: number): Uint8Array {
  const stamp = Buffer.alloc(12);
  stamp.writeBigUInt64BE((1n << 62n) + 10n + BigInt(Math.floor(unixMs / 1_000)), 0);
  stamp.writeUInt32BE((unixMs % 1_000) * 1_000_000, 8);
  return new Uint8Array(stamp);
}

const DEFAULT_INDEX = 0x1234_5678;
const LABEL_MAC1 = Buffer.from('mac1----');
const LABEL_COOKIE = Buffer.from('cookie--');

function cookieKey(receiverPublic: Uint8Array): Uint8Array {
  return hash(LABEL_COOKIE, receiverPublic);
}

function readIndex(message: Uint8Array, at: number): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(at, true);
}

function writeIndex(message: Uint8Array, at: number, index: number): void {
  new DataView(message.buffer, message.byteOffset).setUint32(at, index >>> 0, true);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
