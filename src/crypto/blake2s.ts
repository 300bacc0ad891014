import { createHash, getHashes } from 'node:crypto';
import { blake2s } from '@noble/hashes/blake2.js';

import type { Crypto } from '../core/ports.js';
import { secretBytes } from '../core/secret-bytes.js';

const ALGORITHM = 'blake2s256';
const HASH_BYTES = 32;
const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** Builds of Node for FIPS or with BoringSSL lack the algorithm. */
const HAS_OPENSSL_BLAKE2S = getHashes().includes(ALGORITHM);

/**
 * BLAKE2s for systems without the addon.
 *
 * MACs, which are secret or made with a secret, are computed by noble, whose state is cleared after each MAC. OpenSSL's
 * hashes are faster, but a `Hash` of Node keeps the digest until it is collected: they are used for `hash`, whose results
 * are public.
 *
 * Source: RFC 7693; RFC 2104 §2.
 */
export class Blake2s implements Pick<Crypto, 'hash' | 'mac' | 'hmac'> {
  readonly hash: Crypto['hash'];
  /** Both are clear between two calls. */
  readonly #block = secretBytes(BLOCK_BYTES);
  readonly #digest = secretBytes(HASH_BYTES);

  /** @param isOpenSslUsed Whether `hash` is OpenSSL's. */
  constructor(isOpenSslUsed = HAS_OPENSSL_BLAKE2S) {
    this.hash = isOpenSslUsed ? hashWithOpenSsl : (out, ...parts) => this.#write(out, blake2s.create({}), parts);
  }

  mac(out: Uint8Array, key: Uint8Array, data: Uint8Array): void {
    this.#write(out, blake2s.create({ key, dkLen: out.length }), [data]);
  }

  hmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void {
    this.#padKey(key, INNER_PAD);
    digestInto(this.#digest, blake2s.create({}), [this.#block, ...parts]);
    this.#padKey(key, OUTER_PAD);
    this.#write(out, blake2s.create({}), [this.#block, this.#digest]);
    this.#block.fill(0);
  }

  /** Writes a hash through aligned memory, which noble requires. */
  #write(out: Uint8Array, hash: NobleHash, parts: readonly Uint8Array[]): void {
    const digest = this.#digest.subarray(0, Math.min(out.length, HASH_BYTES));
    digestInto(digest, hash, parts);
    out.set(digest);
    digest.fill(0);
  }

  #padKey(key: Uint8Array, pad: number): void {
    if (key.length > BLOCK_BYTES) throw new RangeError('the key of an HMAC has at most 64 bytes');
    this.#block.fill(pad);
    for (let i = 0; i < key.length; i++) this.#block[i] = key[i]! ^ pad;
  }
}

type NobleHash = ReturnType<typeof blake2s.create>;

/** Finishes the hash and clears its state. */
function digestInto(out: Uint8Array, hash: NobleHash, parts: readonly Uint8Array[]): void {
  for (const part of parts) hash.update(part);
  hash.digestInto(out);
  hash.destroy();
}

function hashWithOpenSsl(out: Uint8Array, ...parts: readonly Uint8Array[]): void {
  const hash = createHash(ALGORITHM);
  for (const part of parts) hash.update(part);
  out.set(hash.digest());
}
