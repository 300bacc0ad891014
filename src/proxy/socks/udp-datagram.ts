/**
 * Datagrams between a client and its UDP relay.
 *
 *     RSV=0,0 FRAG ATYP DST.ADDR… DST.PORT DATA…
 *
 * Source: RFC 1928 §7.
 */
import type { Destination } from '../exit.js';
import { formatAddress, parseAddress } from './socks5-messages.js';

const ADDRESS_AT = 3;

export interface SocksDatagram {
  /** 0 for a datagram that stands alone. */
  readonly fragment: number;
  readonly destination: Destination;
  readonly payload: Uint8Array;
}

/** @returns `undefined` for a datagram that is too short, has an unknown type of address, or leads to port 0. */
export function parseDatagram(bytes: Uint8Array): SocksDatagram | undefined {
  if (bytes.length <= ADDRESS_AT || bytes[0] !== 0 || bytes[1] !== 0) return undefined;
  const parsed = parseAddress(bytes, ADDRESS_AT);
  if (parsed.kind !== 'message' || parsed.message.port === 0) return undefined;
  return { fragment: bytes[2]!, destination: parsed.message, payload: bytes.subarray(parsed.bytes) };
}

/** Writes the part in front of the payload. */
export function formatDatagramHeader({ host, port }: Destination): Uint8Array {
  return Buffer.concat([new Uint8Array(ADDRESS_AT), formatAddress(host, port)]);
}
