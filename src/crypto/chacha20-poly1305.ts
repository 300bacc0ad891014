import { createCipheriv, createDecipheriv } from 'node:crypto';

/**
 * ChaCha20-Poly1305 of OpenSSL, one message a call.
 *
 * Source: RFC 8439 §2.8.
 */
const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const AUTHENTICATION = { authTagLength: TAG_BYTES };

/** Key and nonce of a message. `nonce` has 12 bytes. */
export interface Sealing {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

/** Writes `plaintext.length + 16` bytes to `out`, which may begin where `plaintext` does. */
export function sealChaCha20Poly1305(
  out: Uint8Array,
  { key, nonce, associatedData }: Sealing,
  plaintext: Uint8Array,
): void {
  const cipher = createCipheriv(CIPHER, key, nonce, AUTHENTICATION);
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length });
  out.set(cipher.update(plaintext));
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.length);
}

/**
 * Writes `sealed.length − 16` bytes to `out`, which may begin where `sealed` does.
 *
 * @returns `false`, with nothing written, if the tag is wrong or missing.
 */
export function openChaCha20Poly1305(
  out: Uint8Array,
  { key, nonce, associatedData }: Sealing,
  sealed: Uint8Array,
): boolean {
  const plaintextLength = sealed.length - TAG_BYTES;
  if (plaintextLength < 0) return false;
  const decipher = createDecipheriv(CIPHER, key, nonce, AUTHENTICATION);
  decipher.setAAD(associatedData, { plaintextLength });
  decipher.setAuthTag(sealed.subarray(plaintextLength));
  const plaintext = decipher.update(sealed.subarray(0, plaintextLength));
  const isRight = isAuthentic(decipher);
  if (isRight) out.set(plaintext);
  plaintext.fill(0);
  return isRight;
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
