import { createCipheriv, createDecipheriv } from 'node:crypto';

import { bytesOf } from './bytes-of.js';

/**
 * ChaCha20-Poly1305 of OpenSSL, one message a call.
 *
 * Source: RFC 8439 §2.8.
 */
const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;

/**
 * @param key 32 bytes.
 * @param nonce 12 bytes.
 * @returns `plaintext.length + 16` bytes.
 */
export function sealChaCha20Poly1305(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

/** @returns `sealed.length − 16` bytes, or `undefined` if the tag is wrong. */
export function openChaCha20Poly1305(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array | undefined {
  const plaintextLength = sealed.length - TAG_BYTES;
  if (plaintextLength < 0) return undefined;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData, { plaintextLength });
  decipher.setAuthTag(sealed.subarray(plaintextLength));
  const plaintext = bytesOf(decipher.update(sealed.subarray(0, plaintextLength)));
  if (isAuthentic(decipher)) return plaintext;
  plaintext.fill(0);
  return undefined;
}

function isAuthentic(decipher: { final(): unknown }): boolean {
  try {
    decipher.final();
    return true;
  } catch (error) {
    if (error instanceof Error) return false; // a wrong tag, which has no code; nothing else can go wrong here
    throw error;
  }
}
