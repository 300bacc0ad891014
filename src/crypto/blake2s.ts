import { createHash, createHmac, getHashes } from 'node:crypto';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';

import type { Crypto } from '../core/ports.js';
import { bytesOf } from './bytes-of.js';

/** BLAKE2s with 32 bytes of output, plain and in an HMAC (RFC 7693, RFC 2104). */
export type Blake2s = Pick<Crypto, 'hash' | 'hmac'>;

const ALGORITHM = 'blake2s256';

export const nobleBlake2s: Blake2s = {
  hash(...parts) {
    const hash = blake2s.create({});
    for (const part of parts) hash.update(part);
    return hash.digest();
  },

  hmac(key, ...parts) {
    const mac = hmac.create(blake2s, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },
};

const opensslBlake2s: Blake2s = {
  hash(...parts) {
    const hash = createHash(ALGORITHM);
    for (const part of parts) hash.update(part);
    return bytesOf(hash.digest());
  },

  hmac(key, ...parts) {
    const mac = createHmac(ALGORITHM, key);
    for (const part of parts) mac.update(part);
    return bytesOf(mac.digest());
  },
};

/** OpenSSL's, two to three times as fast, in builds that have it: those for FIPS and those on BoringSSL do not. */
export const fastestBlake2s: Blake2s = getHashes().includes(ALGORITHM) ? opensslBlake2s : nobleBlake2s;
