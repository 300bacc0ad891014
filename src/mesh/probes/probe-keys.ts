import { hkdfSync } from 'node:crypto';

import type { Crypto } from '../../core/ports.js';
import { copySecret, secretBytes } from '../../core/secret-bytes.js';
import { USERNAME_BYTES } from './stun-message.js';

const KEY_BYTES = 32;
const LABEL = Buffer.from('wiretype probe 1');
const NO_SALT = new Uint8Array(0);

/**
 * The keys of probes, one for each pair of hosts, made from their WireGuard keys: HKDF-SHA256 of the X25519 secret (RFC 5869).
 *
 * A username shows whose key a probe was made with, and differs with each transaction, so that nobody on the way can
 * follow a host.
 */
export class ProbeKeys {
  readonly #crypto: Crypto;
  readonly #keys = new Map<string, Uint8Array>();
  #privateKey = secretBytes(KEY_BYTES);
  #publicKey = new Uint8Array(KEY_BYTES);

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** @param privateKey 32 bytes, copied. All keys are made anew. */
  setPrivateKey(privateKey: Uint8Array): void {
    this.clear();
    this.#privateKey = copySecret(privateKey);
    this.#crypto.x25519PublicKey(this.#publicKey, this.#privateKey);
  }

  /** @param publicKey 32 bytes of the other end. @returns `undefined` for a key that gives no secret. */
  keyFor(publicKey: Uint8Array): Uint8Array | undefined {
    const name = nameOf(publicKey);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const shared = secretBytes(KEY_BYTES);
    const isGood = this.#crypto.x25519(shared, this.#privateKey, publicKey);
    const key = isGood ? new Uint8Array(hkdfSync('sha256', shared, NO_SALT, LABEL, KEY_BYTES)) : undefined;
    shared.fill(0);
    if (key !== undefined) this.#keys.set(name, key);
    return key;
  }

  /** The username of this host for a transaction: 8 bytes. */
  username(transactionId: Uint8Array): Uint8Array {
    return this.usernameOf(this.#publicKey, transactionId);
  }

  /** The username of another host for a transaction. */
  usernameOf(publicKey: Uint8Array, transactionId: Uint8Array): Uint8Array {
    const out = new Uint8Array(KEY_BYTES);
    this.#crypto.hash(out, publicKey, transactionId);
    return out.subarray(0, USERNAME_BYTES);
  }

  forget(publicKey: Uint8Array): void {
    this.#keys.get(nameOf(publicKey))?.fill(0);
    this.#keys.delete(nameOf(publicKey));
  }

  /** Wipes every secret. */
  clear(): void {
    this.#privateKey.fill(0);
    for (const key of this.#keys.values()) key.fill(0);
    this.#keys.clear();
  }
}

function nameOf(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString('latin1');
}
