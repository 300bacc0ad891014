import { readInt32, writeInt32 } from './little-endian.js';
import { MessageType, TRANSPORT_DATA_MIN_BYTES } from './messages.js';

/**
 * The transport data message: a sealed IP packet, or a keepalive if nothing is sealed in it.
 *
 * ```text
 *  0      1          4                8          16                       n−16     n
 *  | type | reserved | receiver index | counter  | sealed packet, padded  | tag    |
 *  |  4   |  0 0 0   | u32            | u64      | to a multiple of 16    | 16     |
 * ```
 *
 * Integers are little-endian. Accessors take the message's start in `bytes` and check nothing:
 * call `isTransportData` or `messageType` first. The counter is two halves, each as int32, and exact.
 *
 * Source: whitepaper §5.4.6.
 */
export const TRANSPORT_DATA_HEADER_BYTES = 16;
export const TAG_BYTES = 16;

const RECEIVER_INDEX_AT = 4;
const COUNTER_AT = 8;

/** Tests the length, the type and the three reserved zero bytes. */
export function isTransportData(bytes: Uint8Array, at: number, length: number): boolean {
  return length >= TRANSPORT_DATA_MIN_BYTES && readInt32(bytes, at) === MessageType.TransportData;
}

/** Returned as a signed number: V8 keeps those unboxed as map keys, where a u32 above 2^31 costs 16 bytes. */
export function receiverIndex(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + RECEIVER_INDEX_AT);
}

export function counterLow(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + COUNTER_AT);
}

export function counterHigh(bytes: Uint8Array, at: number): number {
  return readInt32(bytes, at + COUNTER_AT + 4);
}

/** Writes all 16 bytes of the header. Integers may be signed or unsigned. */
export function writeHeader(
  bytes: Uint8Array,
  at: number,
  receiverIndex: number,
  counterHigh: number,
  counterLow: number,
): void {
  writeInt32(bytes, at, MessageType.TransportData);
  writeInt32(bytes, at + RECEIVER_INDEX_AT, receiverIndex);
  writeInt32(bytes, at + COUNTER_AT, counterLow);
  writeInt32(bytes, at + COUNTER_AT + 4, counterHigh);
}
