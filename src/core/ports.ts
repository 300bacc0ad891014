import type { PacketBatch } from './packets/packet-batch.js';

/**
 * Primitives of the handshake. All functions are synchronous, take 32-byte keys unless a line states otherwise, and
 * never keep
 * a reference to an argument.
 *
 * Results go into `out`, which the caller owns and clears: no implementation leaves a copy of a result or an argument
 * behind. `out` has the length of the result at least. For `seal` and `open` it must not overlap an argument; elsewhere it
 * may.
 *
 * Source: whitepaper §5.4.
 */
export interface Crypto {
  /** Writes the shared secret, 32 bytes. @returns `false` when it is all zero (RFC 7748 §6.1): `out` is then invalid. */
  x25519(out: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): boolean;
  /** Writes 32 bytes. */
  x25519PublicKey(out: Uint8Array, privateKey: Uint8Array): void;
  /** BLAKE2s over the parts in order: writes 32 bytes. */
  hash(out: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** Keyed BLAKE2s: writes 16 bytes; `key` has 1 to 32. */
  mac(out: Uint8Array, key: Uint8Array, data: Uint8Array): void;
  /** HMAC-BLAKE2s: writes 32 bytes; `key` has up to 64. */
  hmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void;
  /** ChaCha20-Poly1305 with counter 0 as nonce: writes `plaintext.length + 16` bytes. */
  seal(out: Uint8Array, key: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): void;
  /**
   * Writes `sealed.length − 16` bytes; `out` has `sealed.length` at least.
   *
   * @returns `false` if the tag is wrong: `out` is then invalid.
   */
  open(out: Uint8Array, key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): boolean;
  /** XChaCha20-Poly1305, otherwise as `seal`; `nonce` has 24 bytes. */
  xSeal(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): void;
  /** XChaCha20-Poly1305, otherwise as `open`; `nonce` has 24 bytes. */
  xOpen(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): boolean;
}

/** The core's access to the outside world, apart from `nowMs`. */
export interface Environment {
  /** Fills `out` with unpredictable bytes. */
  random(out: Uint8Array): void;
  /** The wall clock, milliseconds since 1970. Used for TAI64N stamps and the time of the last handshake only. */
  unixTimeMs(): number;
  /** No TAI64N stamp is before this time, in milliseconds since 1970: earlier runs with the same key have used those. Default: 0. */
  readonly earliestStampUnixMs?: number;
}

/**
 * The AEAD stage: ChaCha20-Poly1305 over the rows of a batch, in place, with the keys of its table.
 *
 * A slot holds two keys. `seal` uses the sending one, `open` the receiving one. The nonce is the
 * counter in the message's header (§5.4.6).
 */
export interface AeadStage {
  /** Copies both keys into a free slot and returns it, an integer ≥ 0. */
  installKeys(sendKey: Uint8Array, receiveKey: Uint8Array): number;
  /** Wipes the slot and frees it. */
  wipeKeys(slot: number): void;
  /**
   * For rows with verdict `Pass` and a key slot ≥ 0: encrypts the bytes behind the 16-byte header and
   * appends the tag, so `length` grows by 16.
   */
  seal(batch: PacketBatch): void;
  /**
   * For rows with verdict `Pass` and a key slot ≥ 0: decrypts in place between header and tag.
   * `offset` and `length` stay as they are. A wrong tag sets verdict `BadTag`.
   */
  open(batch: PacketBatch): void;
}
