import { secretBytes } from '../core/secret-bytes.js';

/**
 * Keys as the configuration protocol writes them: 64 hexadecimal digits.
 *
 * Works on bytes, because a string that held a secret cannot be cleared.
 */
const KEY_BYTES = 32;
export const KEY_HEX_BYTES = 2 * KEY_BYTES;

const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const NOT_A_DIGIT = 0xff;

/** The value of every byte that is a digit, in either case. */
const DIGIT_VALUE = new Uint8Array(256).fill(NOT_A_DIGIT);
for (let value = 0; value < 16; value++) {
  DIGIT_VALUE[DIGITS[value]!] = value;
  DIGIT_VALUE[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/**
 * Reads a key from the text `bytes[start…end)`.
 *
 * @returns 32 bytes, which the caller owns and clears; `undefined` if the text is not 64 digits.
 */
export function readHexKey(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  if (end - start !== KEY_HEX_BYTES) return undefined;

  const key = secretBytes(KEY_BYTES);
  let seen = 0;
  for (let i = 0; i < KEY_BYTES; i++) {
    const high = DIGIT_VALUE[bytes[start + 2 * i]!]!;
    const low = DIGIT_VALUE[bytes[start + 2 * i + 1]!]!;
    key[i] = (high << 4) | low;
    seen |= high | low;
  }
  if (seen < 16) return key;
  key.fill(0);
  return undefined;
}

/** Writes 64 lower-case digits at `at`. @returns The place behind them. */
export function writeHexKey(key: Uint8Array, out: Uint8Array, at: number): number {
  for (const byte of key) {
    out[at++] = DIGITS[byte >> 4]!;
    out[at++] = DIGITS[byte & 15]!;
  }
  return at;
}
