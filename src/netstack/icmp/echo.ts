import { readUint16, writeUint16 } from '../../wire/ip-header.js';
import type { IpView } from '../ip/ip-view.js';
import { ICMP_HEADER_BYTES } from './icmp-error.js';
import { QUOTED_BYTES, type Refused } from './refused.js';

export const ECHO_REQUEST4 = 8;
export const ECHO_REPLY4 = 0;
export const ECHO_REQUEST6 = 128;
export const ECHO_REPLY6 = 129;

/** An echo request to somebody else's address. */
export interface EchoRequest extends Refused {
  readonly identifier: number;
  readonly sequence: number;
  readonly data: Uint8Array;
}

/**
 * Echo messages: type, code, checksum, identifier, sequence number, data.
 *
 * Source: RFC 792, RFC 4443 §4.1.
 */
export const Echo = {
  /** Makes a message whose checksum is still to be filled in. */
  message(type: number, identifier: number, sequence: number, data: Uint8Array): Uint8Array {
    const message = new Uint8Array(ICMP_HEADER_BYTES + data.length);
    message[0] = type;
    writeUint16(message, 4, identifier);
    writeUint16(message, 6, sequence);
    message.set(data, ICMP_HEADER_BYTES);
    return message;
  },

  /** Reads a request. */
  request({ at, payloadAt, payloadBytes, source, destination }: IpView, bytes: Uint8Array): EchoRequest {
    return {
      local: destination.slice(),
      remote: source.slice(),
      identifier: readUint16(bytes, payloadAt + 4),
      sequence: readUint16(bytes, payloadAt + 6),
      data: bytes.slice(payloadAt + ICMP_HEADER_BYTES, payloadAt + payloadBytes),
      quoted: bytes.slice(at, Math.min(payloadAt + payloadBytes, at + QUOTED_BYTES)),
    };
  },
} as const;
