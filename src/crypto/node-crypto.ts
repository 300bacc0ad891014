import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  getHashes,
  type KeyObject,
} from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';

import type { Crypto } from '../core/ports.js';
import { openChaCha20Poly1305, sealChaCha20Poly1305 } from './chacha20-poly1305.js';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const MAC_BYTES = 16;
const HASH = 'blake2s256';
/** Fields of a handshake have a key of their own each, so the counter in the nonce is always 0. */
const NONCE = new Uint8Array(12);
/** A JWK has to name a public key, which is not looked at where there is a private one. */
const NO_PUBLIC_KEY = Buffer.alloc(KEY_BYTES).toString('base64url');

/** A private key that OpenSSL has read already, which costs as much as using it. */
interface ReadPrivateKey {
  /** Of the 32 bytes: an array may have been filled with another key, or cleared. */
  readonly fingerprint: Uint8Array;
  readonly key: KeyObject;
}

/**
 * The primitives of the handshake: X25519 and ChaCha20-Poly1305 of OpenSSL, XChaCha20-Poly1305 and
 * keyed BLAKE2s of noble. BLAKE2s and HMAC are OpenSSL's, three times as fast, in builds that have it.
 *
 * OpenSSL's copy of a private key lives as long as the array that it was read from, and is cleared when
 * the garbage collector finds it. Keys pass through strings on their way there, which JavaScript cannot clear.
 */
export class NodeCrypto implements Crypto {
  readonly #privateKeys = new WeakMap<Uint8Array, ReadPrivateKey>();
  readonly hash = hasNativeHash() ? nativeHash : portableHash;
  readonly hmac = hasNativeHash() ? nativeHmac : portableHmac;

  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const keys = { privateKey: this.#read(privateKey), publicKey: readPublicKey(publicKey) };
    try {
      return new Uint8Array(diffieHellman(keys));
    } catch (error) {
      if (isRefusedByOpenSsl(error)) return undefined; // all zero: nothing else can go wrong with two keys that were read
      throw error;
    }
  }

  x25519PublicKey(privateKey: Uint8Array): Uint8Array {
    const { x } = this.#read(privateKey).export({ format: 'jwk' });
    return new Uint8Array(Buffer.from(x!, 'base64url'));
  }

  mac(key: Uint8Array, data: Uint8Array): Uint8Array {
    return blake2s(data, { key, dkLen: MAC_BYTES });
  }

  seal(key: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
    return sealChaCha20Poly1305(key, NONCE, plaintext, associatedData);
  }

  open(key: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
    return openChaCha20Poly1305(key, NONCE, sealed, associatedData);
  }

  xSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array {
    return xchacha20poly1305(key, nonce, associatedData).encrypt(plaintext);
  }

  xOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array | undefined {
    if (sealed.length < TAG_BYTES) return undefined;
    try {
      return xchacha20poly1305(key, nonce, associatedData).decrypt(sealed);
    } catch (error) {
      if (error instanceof Error && error.message === 'invalid tag') return undefined;
      throw error;
    }
  }

  #read(privateKey: Uint8Array): KeyObject {
    const fingerprint = this.hash(privateKey);
    const known = this.#privateKeys.get(privateKey);
    if (known !== undefined && Buffer.compare(known.fingerprint, fingerprint) === 0) return known.key;

    const d = Buffer.from(privateKey).toString('base64url');
    const key = createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d, x: NO_PUBLIC_KEY }, format: 'jwk' });
    this.#privateKeys.set(privateKey, { fingerprint, key });
    return key;
  }
}

function readPublicKey(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}

function isRefusedByOpenSsl(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_CRYPTO_OPERATION_FAILED' || String(error.code).startsWith('ERR_OSSL_');
}

function hasNativeHash(): boolean {
  return getHashes().includes(HASH);
}

function nativeHash(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(HASH);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function portableHash(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = blake2s.create({});
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function nativeHmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac(HASH, key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}

function portableHmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = hmac.create(blake2s, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
