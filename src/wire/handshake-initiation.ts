import { readInt32, writeInt32 } from './little-endian.js';
import { HANDSHAKE_INITIATION_BYTES, MessageType } from './messages.js';

/**
 * The first message, from initiator to responder.
 *
 * ```text
 *  0      1          4              8           40                 88                    116    132    148
 *  | type | reserved | sender index | ephemeral | encrypted static | encrypted timestamp | mac1 | mac2 |
 *  |  1   |  0 0 0   | u32          | 32        | 32 + tag         | 12 + tag            | 16   | 16   |
 * ```
 *
 * Accessors take one whole message, whose type and length `messageType` has checked. They return
 * views, not copies. MACs: see `handshake-macs.ts`.
 *
 * Source: whitepaper §5.4.2.
 */
const SENDER_INDEX_AT = 4;
const EPHEMERAL_AT = 8;
const ENCRYPTED_STATIC_AT = 40;
const ENCRYPTED_TIMESTAMP_AT = 88;
const MAC1_AT = 116;

/** A new message with zeros for both MACs. Field lengths as drawn above. */
export function formatHandshakeInitiation(
  senderIndex: number,
  ephemeral: Uint8Array,
  encryptedStatic: Uint8Array,
  encryptedTimestamp: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(HANDSHAKE_INITIATION_BYTES);
  writeInt32(message, 0, MessageType.HandshakeInitiation);
  writeInt32(message, SENDER_INDEX_AT, senderIndex);
  message.set(ephemeral, EPHEMERAL_AT);
  message.set(encryptedStatic, ENCRYPTED_STATIC_AT);
  message.set(encryptedTimestamp, ENCRYPTED_TIMESTAMP_AT);
  return message;
}

/** Returned as int32. */
export function senderIndex(message: Uint8Array): number {
  return readInt32(message, SENDER_INDEX_AT);
}

export function ephemeral(message: Uint8Array): Uint8Array {
  return message.subarray(EPHEMERAL_AT, ENCRYPTED_STATIC_AT);
}

export function encryptedStatic(message: Uint8Array): Uint8Array {
  return message.subarray(ENCRYPTED_STATIC_AT, ENCRYPTED_TIMESTAMP_AT);
}

export function encryptedTimestamp(message: Uint8Array): Uint8Array {
  return message.subarray(ENCRYPTED_TIMESTAMP_AT, MAC1_AT);
}
