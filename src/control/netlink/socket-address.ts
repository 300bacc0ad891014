import { Endpoint } from '../../wire/endpoint.js';
import { IS_LITTLE_ENDIAN, viewOf } from './byte-order.js';

/**
 * An endpoint as the system writes one.
 *
 * ```text
 *  0        2      4           8                    16 (sockaddr_in)
 *  | family | port | address   | 0                  |
 *  | family | port | flow info | address            | scope id | 28 (sockaddr_in6)
 *  0        2      4           8                    24
 * ```
 *
 * Port and address are in the byte order of networks. Source: ip(7), ipv6(7).
 */
export const FAMILY_IPV4 = 2;
export const FAMILY_IPV6 = 10;

export const MAX_SOCKET_ADDRESS_BYTES = 28;
const IPV4_BYTES = 16;
const IPV6_BYTES = MAX_SOCKET_ADDRESS_BYTES;

export function formatSocketAddress(endpoint: Endpoint): Uint8Array {
  const { address, port, scopeId } = endpoint;
  const isIpv4 = endpoint.family === 4;
  const bytes = new Uint8Array(isIpv4 ? IPV4_BYTES : IPV6_BYTES);
  const view = viewOf(bytes);
  view.setUint16(0, isIpv4 ? FAMILY_IPV4 : FAMILY_IPV6, IS_LITTLE_ENDIAN);
  view.setUint16(2, port);
  bytes.set(address, isIpv4 ? 4 : 8);
  if (!isIpv4) view.setUint32(24, scopeId, IS_LITTLE_ENDIAN);
  return bytes;
}

/** @returns `undefined` for another family, or if bytes are missing. */
export function readSocketAddress(bytes: Uint8Array): Endpoint | undefined {
  if (bytes.length < IPV4_BYTES) return undefined;
  const view = viewOf(bytes);
  const family = view.getUint16(0, IS_LITTLE_ENDIAN);
  const port = view.getUint16(2);
  if (family === FAMILY_IPV4) return Endpoint.from(bytes.subarray(4, 8), port);
  if (family !== FAMILY_IPV6 || bytes.length < IPV6_BYTES) return undefined;
  return Endpoint.from(bytes.subarray(8, 24), port, view.getUint32(24, IS_LITTLE_ENDIAN));
}
