import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';

import type { Crypto } from '../core/ports.js';
import { type Blake2s, fastestBlake2s } from './blake2s.js';
import { bytesOf } from './bytes-of.js';
import { openChaCha20Poly1305, sealChaCha20Poly1305 } from './chacha20-poly1305.js';

const TAG_BYTES = 16;
const MAC_BYTES = 16;
/** Fields of a handshake have a key of their own each, so the counter in the nonce is always 0. */
const NONCE = new Uint8Array(12);
/** What precedes the 32 bytes of an X25519 private key in PKCS #8. Source: RFC 8410 §7. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** A private key that OpenSSL has read already, which costs more than using it. */
interface ReadPrivateKey {
  /** Of the 32 bytes: an array may have been filled with another key, or cleared. */
  readonly fingerprint: Uint8Array;
  readonly key: KeyObject;
}

/**
 * The primitives of the handshake without the addon: X25519 and ChaCha20-Poly1305 of OpenSSL,
 * XChaCha20-Poly1305 and keyed BLAKE2s of noble.
 *
 * OpenSSL's copy of a private key lives as long as the array that it was read from, and is cleared when
 * the garbage collector finds it.
 */
export class NodeCrypto implements Crypto {
  readonly #privateKeys = new WeakMap<Uint8Array, ReadPrivateKey>();
  readonly hash: Crypto['hash'];
  readonly hmac: Crypto['hmac'];

  constructor({ hash, hmac }: Blake2s = fastestBlake2s) {
    this.hash = hash;
    this.hmac = hmac;
  }

  x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    const keys = { privateKey: this.#read(privateKey), publicKey: readPublicKey(publicKey) };
    try {
      return bytesOf(diffieHellman(keys));
    } catch (error) {
      if (isRefusedByOpenSsl(error)) return undefined; // all zero: nothing else goes wrong with two keys that could be read
      throw error;
    }
  }

  x25519PublicKey(privateKey: Uint8Array): Uint8Array {
    const { x } = createPublicKey(this.#read(privateKey)).export({ format: 'jwk' });
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

    const pkcs8 = Buffer.concat([PKCS8_HEAD, privateKey]);
    const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    pkcs8.fill(0);
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
