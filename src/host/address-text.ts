import { networkInterfaces } from 'node:os';

import { formatIpAddress, parseIpAddress } from '../wire/address-text.js';
import type { Endpoint } from '../wire/endpoint.js';

/** The 4 or 16 bytes of an address as Node writes it, without a zone. */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseIpAddress(text);
  if (bytes === undefined) throw new TypeError('no address');
  return bytes;
}

/** The endpoint's address as Node reads it, with the zone that a link-local address needs. */
export function addressText({ address, scopeId }: Endpoint): string {
  const zone = scopeId === 0 ? undefined : zoneName(scopeId);
  return formatIpAddress(address) + (zone === undefined ? '' : `%${zone}`);
}

/** The number of the interface behind a zone, or 0. */
export function zoneIndex(name: string): number {
  return networkInterfaces()[name]?.find((address) => address.family === 'IPv6' && address.scopeid > 0)?.scopeid ?? 0;
}

function zoneName(index: number): string | undefined {
  return Object.keys(networkInterfaces()).find((name) => zoneIndex(name) === index);
}
