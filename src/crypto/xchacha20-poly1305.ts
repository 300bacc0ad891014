import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';

const TAG_BYTES = 16;

/** XChaCha20-Poly1305 of noble, which OpenSSL lacks. `nonce` has 24 bytes. */
export function sealXChaCha20Poly1305(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array {
  return xchacha20poly1305(key, nonce, associatedData).encrypt(plaintext);
}

/** The other way round. @returns `undefined` if the tag is wrong. */
export function openXChaCha20Poly1305(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associatedData: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  try {
    return xchacha20poly1305(key, nonce, associatedData).decrypt(sealed);
  } catch (error) {
    if (error instanceof Error && error.message === 'invalid tag') return undefined;
    throw error;
  }
}
