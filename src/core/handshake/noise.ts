import { TAG_BYTES } from '../../wire/transport-data.js';
import { KEY_BYTES } from '../constants.js';
import type { Crypto } from '../ports.js';
import { secretBytes } from '../secret-bytes.js';

/**
 * The running state of a Noise handshake: chaining key, hash, and the key for the next field.
 *
 * The class implements the operations of the Noise framework and no message. The pattern can thus be written as
 * a column of calls (`handshake.ts`), and published vectors with other payloads can be tested.
 * Every field of a PSK pattern of 25519 keys has a key of its own, so the nonce is always 0.
 *
 * All fields lie in one buffer, and every result is computed in its place, so that nothing is
 * copied and one `fill` clears the buffer:
 *
 * ```text
 *   0            32      64     96           128       160
 *   chainingKey  hash    key    extracted    shared
 *   └── copied by a fork ───────┘
 * ```
 *
 * The creator of a state must wipe it.
 *
 * Source: Noise Protocol Framework (revision 34) §4.3, §5.2, §9.2; whitepaper §5.4.
 */
export class SymmetricState {
  readonly #crypto: Crypto;
  readonly #memory = secretBytes(5 * KEY_BYTES);
  readonly #chainingKey = this.#place(0);
  readonly #hash = this.#place(1);
  readonly #key = this.#place(2);
  /** The pseudorandom key that one HKDF extracts. Cleared after it. */
  readonly #extracted = this.#place(3);
  /** A shared secret, or the output of HKDF that goes into the hash. Cleared after use. */
  readonly #shared = this.#place(4);

  private constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** @param protocolName More than 32 bytes, which are hashed. */
  static begin(crypto: Crypto, protocolName: Uint8Array, prologue: Uint8Array): SymmetricState {
    const state = new SymmetricState(crypto);
    crypto.hash(state.#chainingKey, protocolName);
    crypto.hash(state.#hash, state.#chainingKey, prologue);
    return state;
  }

  /** The transcript hash so far, in place: it changes with the state. Not secret. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** Returns an independent copy, without the key for the next field. */
  fork(): SymmetricState {
    const fork = new SymmetricState(this.#crypto);
    fork.#chainingKey.set(this.#chainingKey);
    fork.#hash.set(this.#hash);
    return fork;
  }

  mixHash(data: Uint8Array): void {
    this.#crypto.hash(this.#hash, this.#hash, data);
  }

  /** Token `e`: in a PSK pattern the ephemeral public key is mixed into both hash and chaining key (§9.2). */
  mixEphemeral(ephemeralPublic: Uint8Array): void {
    this.mixHash(ephemeralPublic);
    this.#extract(ephemeralPublic);
    this.#clearScratch();
  }

  /**
   * Tokens `ee`, `es`, `se`, `ss`.
   *
   * @returns `false`, with an invalid state, if the public key is a low-order point.
   */
  mixDh(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    if (!this.#crypto.x25519(this.#shared, privateKey, publicKey)) return false;
    this.mixKey(this.#shared);
    return true;
  }

  /** Like `mixDh`, but derives no key: for a token after which no field is sealed. */
  mixDhWithoutKey(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    if (!this.#crypto.x25519(this.#shared, privateKey, publicKey)) return false;
    this.#extract(this.#shared);
    this.#clearScratch();
    return true;
  }

  mixKey(secret: Uint8Array): void {
    this.#extract(secret);
    this.#crypto.hmac(this.#key, this.#extracted, this.#chainingKey, SECOND);
    this.#clearScratch();
  }

  /** Token `psk`. */
  mixKeyAndHash(presharedKey: Uint8Array): void {
    this.#extract(presharedKey);
    this.#crypto.hmac(this.#shared, this.#extracted, this.#chainingKey, SECOND);
    this.#crypto.hmac(this.#key, this.#extracted, this.#shared, THIRD);
    this.mixHash(this.#shared);
    this.#clearScratch();
  }

  sealAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(new ArrayBuffer(plaintext.length + TAG_BYTES));
    this.#crypto.seal(sealed, this.#key, plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @returns `undefined`, with an invalid state, if the tag is wrong. */
  openAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const opened = new Uint8Array(new ArrayBuffer(sealed.length));
    if (!this.#crypto.open(opened, this.#key, sealed, this.#hash)) return undefined;
    this.mixHash(sealed);
    return opened.subarray(0, sealed.length - TAG_BYTES);
  }

  /** Writes the transport keys: the initiator's sending key, then the responder's. The caller clears both. */
  split(initiatorKey: Uint8Array, responderKey: Uint8Array): void {
    this.#crypto.hmac(this.#extracted, this.#chainingKey, NOTHING);
    this.#crypto.hmac(initiatorKey, this.#extracted, FIRST);
    this.#crypto.hmac(responderKey, this.#extracted, initiatorKey, SECOND);
    this.#clearScratch();
  }

  /** Clears everything. The state must not be used afterwards. */
  wipe(): void {
    this.#memory.fill(0);
  }

  /** Runs the first two steps of every HKDF. The extracted key is kept for further outputs. */
  #extract(secret: Uint8Array): void {
    this.#crypto.hmac(this.#extracted, this.#chainingKey, secret);
    this.#crypto.hmac(this.#chainingKey, this.#extracted, FIRST);
  }

  #clearScratch(): void {
    this.#extracted.fill(0);
    this.#shared.fill(0);
  }

  #place(index: number): Uint8Array {
    return this.#memory.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  }
}

const NOTHING = new Uint8Array(0);
/** The bytes that HKDF appends so that its outputs differ. */
const FIRST = Uint8Array.of(1);
const SECOND = Uint8Array.of(2);
const THIRD = Uint8Array.of(3);
