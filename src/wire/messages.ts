import { readInt32 } from './little-endian.js';

/**
 * The four types of message, and how to distinguish them.
 *
 * The type byte and the three reserved bytes behind it, which are zero, read as one little-endian
 * integer. Three types have one exact length.
 *
 * Source: whitepaper §5.4.
 */
export const MessageType = {
  HandshakeInitiation: 1,
  HandshakeResponse: 2,
  CookieReply: 3,
  TransportData: 4,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Result of `messageType` for bytes of no known type. */
export const NO_MESSAGE = 0;

export const HANDSHAKE_INITIATION_BYTES = 148;
export const HANDSHAKE_RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;
/** Header and tag around nothing: a keepalive. */
export const TRANSPORT_DATA_MIN_BYTES = 32;

/** @returns The type of the `length` bytes at `at`, or NO_MESSAGE if type, reserved bytes or length are wrong. */
export function messageType(bytes: Uint8Array, at: number, length: number): MessageType | typeof NO_MESSAGE {
  if (length < TRANSPORT_DATA_MIN_BYTES) return NO_MESSAGE;
  switch (readInt32(bytes, at)) {
    case MessageType.TransportData:
      return MessageType.TransportData;
    case MessageType.HandshakeInitiation:
      return length === HANDSHAKE_INITIATION_BYTES ? MessageType.HandshakeInitiation : NO_MESSAGE;
    case MessageType.HandshakeResponse:
      return length === HANDSHAKE_RESPONSE_BYTES ? MessageType.HandshakeResponse : NO_MESSAGE;
    case MessageType.CookieReply:
      return length === COOKIE_REPLY_BYTES ? MessageType.CookieReply : NO_MESSAGE;
    default:
      return NO_MESSAGE;
  }
}
