import { readInt32, writeInt32 } from './little-endian.js';
import { HANDSHAKE_RESPONSE_BYTES, MessageType } from './messages.js';

/**
 * The second message, from responder to initiator.
 *
 * ```text
 *  0      1          4              8                12          44                  60     76     92
 *  | type | reserved | sender index | receiver index | ephemeral | encrypted nothing | mac1 | mac2 |
 *  |  2   |  0 0 0   | u32          | u32            | 32        | tag               | 16   | 16   |
 * ```
 *
 * Accessors take one whole message, whose type and length `messageType` has checked. They return
 * views, not copies. MACs: see `handshake-macs.ts`.
 *
 * Source: whitepaper §5.4.3.
 */
const SENDER_INDEX_AT = 4;
const RECEIVER_INDEX_AT = 8;
const EPHEMERAL_AT = 12;
const ENCRYPTED_NOTHING_AT = 44;
const MAC1_AT = 60;

/** A new message with zeros for both MACs. Field lengths as drawn above. */
export function formatHandshakeResponse(
  senderIndex: number,
  receiverIndex: number,
  ephemeral: Uint8Array,
  encryptedNothing: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(HANDSHAKE_RESPONSE_BYTES);
  writeInt32(message, 0, MessageType.HandshakeResponse);
  writeInt32(message, SENDER_INDEX_AT, senderIndex);
  writeInt32(message, RECEIVER_INDEX_AT, receiverIndex);
  message.set(ephemeral, EPHEMERAL_AT);
  message.set(encryptedNothing, ENCRYPTED_NOTHING_AT);
  return message;
}

/** Returned as int32. */
export function senderIndex(message: Uint8Array): number {
  return readInt32(message, SENDER_INDEX_AT);
}

/** Returned as int32. */
export function receiverIndex(message: Uint8Array): number {
  return readInt32(message, RECEIVER_INDEX_AT);
}

export function ephemeral(message: Uint8Array): Uint8Array {
  return message.subarray(EPHEMERAL_AT, ENCRYPTED_NOTHING_AT);
}

export function encryptedNothing(message: Uint8Array): Uint8Array {
  return message.subarray(ENCRYPTED_NOTHING_AT, MAC1_AT);
}
