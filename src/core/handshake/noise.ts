import type { Crypto } from '../ports.js';

/**
 * The running state of a Noise handshake: chaining key, hash, and the key for the next field.
 *
 * Knows the operations of the Noise framework and no message, so that the pattern can be written down as
 * a column of calls (`handshake.ts`), and published vectors with other payloads can be run through it.
 * In a PSK pattern of 25519 keys every field has a key of its own, so the nonce is always 0.
 *
 * Whoever makes a state wipes it.
 *
 * Source: Noise Protocol Framework (revision 34) §4.3, §5.2, §9.2; whitepaper §5.4.
 */
export class SymmetricState {
  readonly #crypto: Crypto;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  /** Secret, as the chaining key is. `undefined` until the first `mixKey`. */
  #key: Uint8Array | undefined;

  private constructor(crypto: Crypto, chainingKey: Uint8Array, hash: Uint8Array) {
    this.#crypto = crypto;
    this.#chainingKey = chainingKey;
    this.#hash = hash;
  }

  /** @param protocolName More than 32 bytes, which are hashed. */
  static begin(crypto: Crypto, protocolName: Uint8Array, prologue: Uint8Array): SymmetricState {
    const start = crypto.hash(protocolName);
    return new SymmetricState(crypto, start, crypto.hash(start, prologue));
  }

  /** The transcript hash so far. Not secret. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** A copy that goes its own way. A key for the next field is not taken along. */
  fork(): SymmetricState {
    return new SymmetricState(this.#crypto, this.#chainingKey.slice(), this.#hash);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.hash(this.#hash, data);
  }

  /** Token `e`: in a PSK pattern the ephemeral public key is mixed into both hash and chaining key (§9.2). */
  mixEphemeral(ephemeralPublic: Uint8Array): void {
    this.mixHash(ephemeralPublic);
    this.#deriveChainingKey(ephemeralPublic);
  }

  /**
   * Tokens `ee`, `es`, `se`, `ss`.
   *
   * @returns `false`, and the state is of no use, if the public key is a low-order point.
   */
  mixDh(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    const shared = this.#crypto.x25519(privateKey, publicKey);
    if (shared === undefined) return false;
    this.mixKey(shared);
    shared.fill(0);
    return true;
  }

  /** As `mixDh`, where no field is sealed before the next token: that saves making a key. */
  mixDhWithoutKey(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    const shared = this.#crypto.x25519(privateKey, publicKey);
    if (shared === undefined) return false;
    this.#deriveChainingKey(shared);
    shared.fill(0);
    return true;
  }

  mixKey(secret: Uint8Array): void {
    const extracted = this.#crypto.hmac(this.#chainingKey, secret);
    this.#setChainingKey(this.#crypto.hmac(extracted, FIRST));
    this.#setKey(this.#crypto.hmac(extracted, this.#chainingKey, SECOND));
    extracted.fill(0);
  }

  /** Token `psk`. */
  mixKeyAndHash(presharedKey: Uint8Array): void {
    const extracted = this.#crypto.hmac(this.#chainingKey, presharedKey);
    this.#setChainingKey(this.#crypto.hmac(extracted, FIRST));
    const forHash = this.#crypto.hmac(extracted, this.#chainingKey, SECOND);
    this.#setKey(this.#crypto.hmac(extracted, forHash, THIRD));
    this.mixHash(forHash);
    forHash.fill(0);
    extracted.fill(0);
  }

  sealAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#crypto.seal(this.#key!, plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @returns `undefined`, and the state is of no use, if the tag is wrong. */
  openAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#crypto.open(this.#key!, sealed, this.#hash);
    if (plaintext !== undefined) this.mixHash(sealed);
    return plaintext;
  }

  /** The transport keys: the initiator's sending key, then the responder's. The caller clears both. */
  split(): [initiatorKey: Uint8Array, responderKey: Uint8Array] {
    const extracted = this.#crypto.hmac(this.#chainingKey, NOTHING);
    const initiatorKey = this.#crypto.hmac(extracted, FIRST);
    const responderKey = this.#crypto.hmac(extracted, initiatorKey, SECOND);
    extracted.fill(0);
    return [initiatorKey, responderKey];
  }

  /** Clears what is secret. The state is of no use afterwards. */
  wipe(): void {
    this.#chainingKey.fill(0);
    this.#key?.fill(0);
  }

  #deriveChainingKey(secret: Uint8Array): void {
    const extracted = this.#crypto.hmac(this.#chainingKey, secret);
    this.#setChainingKey(this.#crypto.hmac(extracted, FIRST));
    extracted.fill(0);
  }

  #setChainingKey(chainingKey: Uint8Array): void {
    this.#chainingKey.fill(0);
    this.#chainingKey = chainingKey;
  }

  #setKey(key: Uint8Array): void {
    this.#key?.fill(0);
    this.#key = key;
  }
}

const NOTHING = new Uint8Array(0);
/** What HKDF appends to tell its outputs apart. */
const FIRST = Uint8Array.of(1);
const SECOND = Uint8Array.of(2);
const THIRD = Uint8Array.of(3);
