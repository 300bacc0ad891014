import { readInt32, writeInt32 } from './little-endian.js';
import { COOKIE_REPLY_BYTES, MessageType } from './messages.js';

/**
 * The answer of a device under load to a handshake message.
 *
 * ```text
 *  0      1          4                8       32                 64
 *  | type | reserved | receiver index | nonce | encrypted cookie |
 *  |  3   |  0 0 0   | u32            | 24    | 16 + tag         |
 * ```
 *
 * Accessors take one whole message, whose type and length `messageType` has checked. They return
 * views, not copies.
 *
 * Source: whitepaper §5.4.7.
 */
const RECEIVER_INDEX_AT = 4;
const NONCE_AT = 8;
const ENCRYPTED_COOKIE_AT = 32;

export const COOKIE_NONCE_BYTES = ENCRYPTED_COOKIE_AT - NONCE_AT;

/** @param receiverIndex The sender index of the message that is answered. */
export function formatCookieReply(receiverIndex: number, nonce: Uint8Array, encryptedCookie: Uint8Array): Uint8Array {
  const message = new Uint8Array(COOKIE_REPLY_BYTES);
  writeInt32(message, 0, MessageType.CookieReply);
  writeInt32(message, RECEIVER_INDEX_AT, receiverIndex);
  message.set(nonce, NONCE_AT);
  message.set(encryptedCookie, ENCRYPTED_COOKIE_AT);
  return message;
}

/** Returned as int32. */
export function receiverIndex(message: Uint8Array): number {
  return readInt32(message, RECEIVER_INDEX_AT);
}

export function nonce(message: Uint8Array): Uint8Array {
  return message.subarray(NONCE_AT, ENCRYPTED_COOKIE_AT);
}

export function encryptedCookie(message: Uint8Array): Uint8Array {
  return message.subarray(ENCRYPTED_COOKIE_AT);
}
