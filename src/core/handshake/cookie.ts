import * as cookieReply from '../../wire/cookie-reply.js';
import { addressLength, ENDPOINT_ADDRESS_AT, ENDPOINT_FAMILY_AT, ENDPOINT_PORT_AT } from '../../wire/endpoint.js';
import { senderIndex } from '../../wire/handshake-initiation.js';
import { coveredByMac1, coveredByMac2, MAC_BYTES, mac1, mac2 } from '../../wire/handshake-macs.js';
import { TAG_BYTES } from '../../wire/transport-data.js';
import { equalInConstantTime, isZeroInConstantTime } from '../constant-time.js';
import { COOKIE_LATENCY_MS, COOKIE_LIFETIME_MS, KEY_BYTES } from '../constants.js';
import type { Crypto, Environment } from '../ports.js';
import { secretBytes } from '../secret-bytes.js';

/**
 * The receiving side of MAC1 and MAC2: whether a handshake message is addressed to us, and whether its sender
 * has proven that it owns its address.
 *
 * A cookie is a MAC over the sender's address and port, under a secret that changes every COOKIE_LIFETIME.
 * The device keeps no state about senders.
 *
 * Source: whitepaper §5.3, §5.4.4, §5.4.7.
 */
export class CookieChecker {
  readonly #crypto: Crypto;
  readonly #environment: Environment;
  #keys: CookieKeys | undefined;
  readonly #secret = secretBytes(SECRET_BYTES);
  /** Both are clear between two calls. */
  readonly #cookie = secretBytes(MAC_BYTES);
  readonly #mac = secretBytes(MAC_BYTES);
  #secretMadeMs = -Infinity;

  constructor(crypto: Crypto, environment: Environment) {
    this.#crypto = crypto;
    this.#environment = environment;
  }

  /** Sets the device's public key. Without a key no MAC1 is right. */
  setPublicKey(publicKey: Uint8Array | undefined): void {
    this.#keys = publicKey === undefined ? undefined : deriveKeys(this.#crypto, publicKey);
  }

  /** @param message One whole handshake initiation or response. */
  hasValidMac1(message: Uint8Array): boolean {
    if (this.#keys === undefined) return false;
    return this.#isRight(mac1(message), this.#keys.mac1Key, coveredByMac1(message));
  }

  /**
   * Tests that the message carries the cookie of its address, and that the cookie is not too old.
   *
   * @param endpointBytes Endpoint records; `at` is the record's start.
   */
  hasValidMac2(message: Uint8Array, endpointBytes: Uint8Array, at: number, nowMs: number): boolean {
    if (this.#isSecretOld(nowMs) || hasNoMac2(message)) return false;
    this.#makeCookie(endpointBytes, at);
    const isRight = this.#isRight(mac2(message), this.#cookie, coveredByMac2(message));
    this.#cookie.fill(0);
    return isRight;
  }

  /**
   * Creates the cookie reply to a handshake message whose MAC1 was right.
   *
   * @param endpointBytes Endpoint records; `at` is the record's start.
   * @returns 64 bytes.
   */
  createReply(message: Uint8Array, endpointBytes: Uint8Array, at: number, nowMs: number): Uint8Array {
    if (this.#keys === undefined) throw new Error('a cookie reply needs a public key');
    if (this.#isSecretOld(nowMs)) {
      this.#environment.random(this.#secret);
      this.#secretMadeMs = nowMs;
    }
    const nonce = new Uint8Array(cookieReply.COOKIE_NONCE_BYTES);
    this.#environment.random(nonce);
    const encryptedCookie = new Uint8Array(new ArrayBuffer(MAC_BYTES + TAG_BYTES));
    this.#makeCookie(endpointBytes, at);
    this.#crypto.xSeal(encryptedCookie, this.#keys.cookieKey, nonce, this.#cookie, mac1(message));
    this.#cookie.fill(0);
    return cookieReply.formatCookieReply(senderIndex(message), nonce, encryptedCookie);
  }

  /** Compares a MAC. The right MAC is cleared, since it would allow forging the message. */
  #isRight(mac: Uint8Array, key: Uint8Array, covered: Uint8Array): boolean {
    this.#crypto.mac(this.#mac, key, covered);
    const isRight = equalInConstantTime(this.#mac, mac);
    this.#mac.fill(0);
    return isRight;
  }

  #isSecretOld(nowMs: number): boolean {
    return nowMs - this.#secretMadeMs >= COOKIE_LIFETIME_MS;
  }

  /** Computes a cookie over address and port: a cookie for one port of a NAT is useless for another port. */
  #makeCookie(endpointBytes: Uint8Array, at: number): void {
    const addressBytes = addressLength(endpointBytes[at + ENDPOINT_FAMILY_AT]);
    const source = new Uint8Array(addressBytes + PORT_BYTES);
    source.set(endpointBytes.subarray(at + ENDPOINT_ADDRESS_AT, at + ENDPOINT_ADDRESS_AT + addressBytes));
    source.set(endpointBytes.subarray(at + ENDPOINT_PORT_AT, at + ENDPOINT_PORT_AT + PORT_BYTES), addressBytes);
    this.#crypto.mac(this.#cookie, this.#secret, source);
  }
}

/**
 * The sending side: signs the handshake messages for one peer, and keeps the cookie from the peer.
 *
 * Source: whitepaper §5.4.4, §5.4.7.
 */
export class CookieJar {
  readonly #crypto: Crypto;
  readonly #remotePublic: Uint8Array;
  /** Allocated lazily: most peers are idle. */
  #keys: CookieKeys | undefined;
  /** MAC1 of the last message. */
  readonly #lastMac1 = new Uint8Array(new ArrayBuffer(MAC_BYTES));
  /** Whether the last message has had no cookie reply: each MAC1 is valid for one reply. */
  #isReplyAwaited = false;
  /** The buffer in which replies are opened; its first 16 bytes are the cookie. */
  #cookie: Uint8Array | undefined;
  #cookieReceivedMs = 0;

  constructor(crypto: Crypto, remotePublic: Uint8Array) {
    this.#crypto = crypto;
    this.#remotePublic = remotePublic;
  }

  /**
   * Whether messages still get a MAC2. This ends COOKIE_LATENCY before the cookie does, since the cookie was in flight.
   */
  hasCookie(nowMs: number): boolean {
    return this.#cookie !== undefined && nowMs - this.#cookieReceivedMs < COOKIE_LIFETIME_MS - COOKIE_LATENCY_MS;
  }

  /** Whether the message that was signed last has had no cookie reply. */
  get awaitsReply(): boolean {
    return this.#isReplyAwaited;
  }

  /** Writes MAC1 and MAC2; MAC2 is zeros without a cookie. The rest of the message must be complete. */
  sign(message: Uint8Array, nowMs: number): void {
    this.#keys ??= deriveKeys(this.#crypto, this.#remotePublic);
    this.#crypto.mac(this.#lastMac1, this.#keys.mac1Key, coveredByMac1(message));
    this.#isReplyAwaited = true;
    mac1(message).set(this.#lastMac1);
    if (this.#cookie !== undefined && this.hasCookie(nowMs))
      this.#crypto.mac(mac2(message), this.#cookie.subarray(0, MAC_BYTES), coveredByMac2(message));
    else mac2(message).fill(0);
  }

  /**
   * Takes the cookie out of a reply to the message that was signed last.
   *
   * @param message One whole cookie reply.
   * @returns `false`, with no change, if the reply does not answer that message, or is a second answer.
   */
  consumeReply(message: Uint8Array, nowMs: number): boolean {
    if (this.#keys === undefined || !this.#isReplyAwaited) return false;
    const nonce = cookieReply.nonce(message);
    const sealed = cookieReply.encryptedCookie(message);
    const cookie = secretBytes(sealed.length);
    if (!this.#crypto.xOpen(cookie, this.#keys.cookieKey, nonce, sealed, this.#lastMac1)) return false;
    this.#isReplyAwaited = false;
    this.#cookie = cookie;
    this.#cookieReceivedMs = nowMs;
    return true;
  }
}

/** Both are derived from a public key, and not secret. */
interface CookieKeys {
  readonly mac1Key: Uint8Array;
  readonly cookieKey: Uint8Array;
}

function deriveKeys(crypto: Crypto, publicKey: Uint8Array): CookieKeys {
  const keys = { mac1Key: secretBytes(KEY_BYTES), cookieKey: secretBytes(KEY_BYTES) };
  crypto.hash(keys.mac1Key, LABEL_MAC1, publicKey);
  crypto.hash(keys.cookieKey, LABEL_COOKIE, publicKey);
  return keys;
}

const SECRET_BYTES = 32;
const PORT_BYTES = 2;
/** LABEL-MAC1 and LABEL-COOKIE of §5.4. */
const LABEL_MAC1 = Uint8Array.from('mac1----', (character) => character.charCodeAt(0));
const LABEL_COOKIE = Uint8Array.from('cookie--', (character) => character.charCodeAt(0));

/**
 * A sender without a cookie sends zeros (§5.4.4). Nearly all messages of a flood have zeros, and this check costs no
 * hash.
 */
function hasNoMac2(message: Uint8Array): boolean {
  return isZeroInConstantTime(mac2(message));
}
