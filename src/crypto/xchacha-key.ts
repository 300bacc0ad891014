import { hchacha } from '@noble/ciphers/chacha.js';

import { secretBytes } from '../core/secret-bytes.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const HCHACHA_INPUT_BYTES = 16;
/** The rest of the long nonce goes to the end of the short one, behind zeros. */
const NONCE_REST_AT = 4;
const CONSTANTS = wordsOf(Uint8Array.from('expand 32-byte k', (character) => character.charCodeAt(0)));

/**
 * Key and nonce for ChaCha20-Poly1305, derived from a key and nonce of XChaCha20-Poly1305, in memory that is reused.
 *
 * Source: draft-irtf-cfrg-xchacha-03 §2.3.
 */
export class XChaChaKey {
  readonly key = secretBytes(KEY_BYTES);
  readonly nonce = secretBytes(NONCE_BYTES);
  readonly #keyWords = new Uint32Array(this.key.buffer);
  readonly #longKey = secretBytes(KEY_BYTES);
  readonly #longKeyWords = new Uint32Array(this.#longKey.buffer);
  readonly #input = secretBytes(HCHACHA_INPUT_BYTES);
  readonly #inputWords = new Uint32Array(this.#input.buffer);

  /** @param longKey 32 bytes. @param longNonce 24 bytes. */
  derive(longKey: Uint8Array, longNonce: Uint8Array): void {
    this.#longKey.set(longKey);
    this.#input.set(longNonce.subarray(0, HCHACHA_INPUT_BYTES));
    hchacha(CONSTANTS, this.#longKeyWords, this.#inputWords, this.#keyWords);
    this.nonce.set(longNonce.subarray(HCHACHA_INPUT_BYTES), NONCE_REST_AT);
  }

  clear(): void {
    this.key.fill(0);
    this.#longKey.fill(0);
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer);
}
