import { WireGuardError } from '../core/errors.js';
import { secretBytes } from '../core/secret-bytes.js';

const KEY_BYTES = 32;

/** 32 bytes leave four bits for the 43rd character, hence its short alphabet. */
const KEY_TEXT = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/**
 * Reads a key as `wg` writes it.
 *
 * @param what Name of the key for the error message, such as "private key".
 * @returns 32 bytes. The caller owns them and clears a secret one after use.
 * @throws {WireGuardError} ERR_KEY_FORMAT. The message does not repeat the text, which may be a secret.
 */
export function parseKey(text: string, what: string): Uint8Array {
  if (!KEY_TEXT.test(text)) throw new WireGuardError('ERR_KEY_FORMAT', `${what}: not a key`);
  const key = secretBytes(KEY_BYTES);
  Buffer.from(key.buffer).write(text, 'base64');
  return key;
}

export function formatKey(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('base64');
}

/** Returns a public key as logs show it, such as `abcd…wxyz`: enough to find the peer, short enough for a line. */
export function formatShortKey(publicKey: Uint8Array): string {
  const text = formatKey(publicKey);
  return `${text.slice(0, 4)}…${text.slice(39, 43)}`;
}
