import { createPrivateKey, createPublicKey, createSecretKey, diffieHellman, type KeyObject } from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';

import type { Crypto } from '../core/ports.js';
import { secretBytes } from '../core/secret-bytes.js';
import { Blake2s } from './blake2s.js';
import { openChaCha20Poly1305, sealChaCha20Poly1305 } from './chacha20-poly1305.js';

const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Each field of a handshake has its own key, so the counter in the nonce is always 0. */
const NONCE = new Uint8Array(12);
/** Bytes in front of the 32 of an X25519 private key in PKCS #8. Source: RFC 8410 §7. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

const ZEROS = new Uint8Array(KEY_BYTES);
/** Pieces of memory with a part of a private key, at most, in the objects that Node and OpenSSL make of it. */
const PIECES_PER_KEY = 4;
/** Pieces of that size that may have been freed by others. */
const OTHER_PIECES = 32;

/** A private key that OpenSSL has read. */
interface ReadPrivateKey {
  /** Hash of the 32 bytes: an array may have been filled with another key, or cleared. */
  readonly fingerprint: Uint8Array;
  readonly key: KeyObject;
}

/**
 * The primitives of the handshake without the addon: X25519 and ChaCha20-Poly1305 of OpenSSL,
 * XChaCha20-Poly1305 and keyed BLAKE2s of noble.
 *
 * Node cannot clear OpenSSL's copy of a private key at will: the copy is cleared when the garbage collector frees the
 * array that the key was read from. OpenSSL also frees one copy uncleared, and the place of it may become a part of the
 * objects that hold the key: it is overwritten after these were freed. All other secrets are cleared at once.
 */
export class NodeCrypto implements Crypto {
  readonly hash: Crypto['hash'];
  readonly #blake2s: Blake2s;
  readonly #privateKeys = new WeakMap<Uint8Array, ReadPrivateKey>();
  readonly #pkcs8: Buffer;
  readonly #collected = new FinalizationRegistry<undefined>(() => overwriteFreedKeysSoon());

  constructor(blake2s = new Blake2s()) {
    this.#pkcs8 = Buffer.from(secretBytes(PKCS8_HEAD.length + KEY_BYTES).buffer);
    this.#blake2s = blake2s;
    this.hash = blake2s.hash;
    this.#pkcs8.set(PKCS8_HEAD);
  }

  x25519(out: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    const keys = { privateKey: this.#read(privateKey), publicKey: readPublicKey(publicKey) };
    try {
      const shared = diffieHellman(keys);
      out.set(shared);
      shared.fill(0);
      return true;
    } catch (error) {
      if (isRefusedByOpenSsl(error)) return false; // all zero, the only error with readable keys
      throw error;
    }
  }

  x25519PublicKey(out: Uint8Array, privateKey: Uint8Array): void {
    const { x } = createPublicKey(this.#read(privateKey)).export({ format: 'jwk' });
    out.set(Buffer.from(x!, 'base64url'));
  }

  mac(out: Uint8Array, key: Uint8Array, data: Uint8Array): void {
    this.#blake2s.mac(out, key, data);
  }

  hmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void {
    this.#blake2s.hmac(out, key, ...parts);
  }

  seal(out: Uint8Array, key: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): void {
    sealChaCha20Poly1305(out, { key, nonce: NONCE, associatedData }, plaintext);
  }

  open(out: Uint8Array, key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): boolean {
    return openChaCha20Poly1305(out, { key, nonce: NONCE, associatedData }, sealed);
  }

  xSeal(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): void {
    out.set(xchacha20poly1305(key, nonce, associatedData).encrypt(plaintext));
  }

  xOpen(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): boolean {
    if (sealed.length < TAG_BYTES) return false;
    const cipher = xchacha20poly1305(key, nonce, associatedData);
    try {
      out.set(cipher.decrypt(sealed));
      return true;
    } catch (error) {
      if (error instanceof Error) return false; // the tag is wrong, since key, nonce and length are valid
      throw error;
    }
  }

  /** Reads a private key, and caches it because reading costs ten times as much as using the key. */
  #read(privateKey: Uint8Array): KeyObject {
    const fingerprint = new Uint8Array(KEY_BYTES);
    this.hash(fingerprint, privateKey);
    const known = this.#privateKeys.get(privateKey);
    if (known !== undefined && Buffer.compare(known.fingerprint, fingerprint) === 0) return known.key;

    this.#pkcs8.set(privateKey, PKCS8_HEAD.length);
    const key = this.#parsePkcs8();
    this.#pkcs8.fill(0, PKCS8_HEAD.length);
    this.#parsePkcs8(); // a key of zeros overwrites the memory that OpenSSL freed uncleared
    this.#privateKeys.set(privateKey, { fingerprint, key });
    this.#collected.register(privateKey, undefined);
    return key;
  }

  #parsePkcs8(): KeyObject {
    return createPrivateKey({ key: this.#pkcs8, format: 'der', type: 'pkcs8' });
  }
}

let collectedKeys = 0;

/** Once for all keys that one garbage collection has freed, when it is over. */
function overwriteFreedKeysSoon(): void {
  collectedKeys++;
  if (collectedKeys === 1) setImmediate(overwriteFreedKeys).unref();
}

/** Takes the pieces of memory that the allocator hands out next, with zeros, all of them at the same time. */
function overwriteFreedKeys(): void {
  Array.from({ length: collectedKeys * PIECES_PER_KEY + OTHER_PIECES }, () => createSecretKey(ZEROS));
  collectedKeys = 0;
}

function readPublicKey(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}

function isRefusedByOpenSsl(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_CRYPTO_OPERATION_FAILED' || String(error.code).startsWith('ERR_OSSL_');
}
