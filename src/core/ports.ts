import type { PacketBatch } from './packets/packet-batch.js';

/**
 * Primitives of the handshake. Everything is synchronous, takes and returns 32-byte keys unless a
 * line says otherwise, and never keeps a reference to an argument.
 *
 * Source: whitepaper §5.4.
 */
export interface Crypto {
  /** @returns The shared secret, which the caller clears; `undefined` when it is all zero (RFC 7748 §6.1). */
  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
  x25519PublicKey(privateKey: Uint8Array): Uint8Array;
  /** BLAKE2s with 32 bytes of output, over the parts in order. */
  hash(...parts: readonly Uint8Array[]): Uint8Array;
  /** Keyed BLAKE2s with 16 bytes of output; `key` has 1 to 32 bytes. */
  mac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HMAC-BLAKE2s with 32 bytes of output. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** ChaCha20-Poly1305 with counter 0 as nonce. @returns `plaintext.length + 16` bytes. */
  seal(key: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array;
  /** @returns `sealed.length − 16` bytes, or `undefined` if the tag is wrong. */
  open(key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined;
  /** XChaCha20-Poly1305; `nonce` has 24 bytes. */
  xSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array;
  xOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined;
}

/** What the core needs of the world, apart from `nowMs`. */
export interface Environment {
  /** Fills `out` with unpredictable bytes. */
  random(out: Uint8Array): void;
  /** The wall clock, milliseconds since 1970. Used for TAI64N stamps and the time of the last handshake only. */
  unixTimeMs(): number;
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
   * For rows with verdict `Pass` and a key slot ≥ 0: encrypts what follows the 16-byte header and
   * appends the tag, so `length` grows by 16.
   */
  seal(batch: PacketBatch): void;
  /**
   * For rows with verdict `Pass` and a key slot ≥ 0: decrypts in place between header and tag.
   * `offset` and `length` stay as they are. A wrong tag sets verdict `BadTag`.
   */
  open(batch: PacketBatch): void;
}
