/**
 * Messages of SOCKS version 4, and of 4a, in which a name follows the user's identifier.
 *
 *     request   VN=4 CD DSTPORT DSTIP USERID… 0 [NAME… 0]
 *     reply     VN=0 CD DSTPORT DSTIP
 *
 * Source: "SOCKS: A protocol for TCP proxy across firewalls" (Lee); "SOCKS 4A: A Simple Extension to SOCKS 4 Protocol" (Lee).
 */
import { formatIpAddress } from '../../control/ip-text.js';
import type { Parsed, Request5 } from './socks5-messages.js';

export const VERSION_4 = 4;
const USER_AT = 8;
const MAX_BYTES = 600;

export const Reply4 = { Granted: 0x5a, Rejected: 0x5b, UserRejected: 0x5d } as const;

/** Reads a request. The user's identifier, which nobody vouches for, is left out. */
export function parseRequest4(bytes: Uint8Array): Parsed<Request5, 'malformed'> {
  if (bytes.length > 0 && bytes[0] !== VERSION_4) return { kind: 'malformed' };
  const userEnd = bytes.indexOf(0, USER_AT);
  if (userEnd < 0) return unfinished(bytes);
  const port = (bytes[2]! << 8) | bytes[3]!;
  const [a, b, c, d] = bytes.subarray(4, USER_AT);
  const command = bytes[1]!;
  // 0.0.0.x with x other than 0 announces a name.
  if (a !== 0 || b !== 0 || c !== 0 || d === 0) {
    const host = formatIpAddress(bytes.subarray(4, USER_AT));
    return { kind: 'message', message: { command, destination: { host, port } }, bytes: userEnd + 1 };
  }
  const nameEnd = bytes.indexOf(0, userEnd + 1);
  if (nameEnd < 0) return unfinished(bytes);
  const host = Buffer.from(bytes.subarray(userEnd + 1, nameEnd)).toString('utf8');
  return { kind: 'message', message: { command, destination: { host, port } }, bytes: nameEnd + 1 };
}

export function formatReply4(code: number): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0);
}

function unfinished(bytes: Uint8Array): { kind: 'incomplete' } | { kind: 'malformed' } {
  return { kind: bytes.length > MAX_BYTES ? 'malformed' : 'incomplete' };
}
