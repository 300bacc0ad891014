import { networkInterfaces } from 'node:os';

import { formatIpAddress, parseIpAddress } from '../wire/address-text.js';
import type { Endpoint } from '../wire/endpoint.js';

/** Listing the interfaces costs hundreds of microseconds, and any neighbour can send datagrams that need a zone. */
const ZONES_LIFETIME_MS = 1_000;

/** The zones of the system's interfaces, by name and by number. */
interface Zones {
  readonly listedMs: number;
  readonly indices: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

let known: Zones | undefined;

/** Returns the 4 or 16 bytes of an address as Node writes it, without a zone. */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseIpAddress(text);
  if (bytes === undefined) throw new TypeError('no address');
  return bytes;
}

/** Returns the endpoint's address as Node reads it, with the zone that a link-local address needs. */
export function addressText({ address, scopeId }: Endpoint): string {
  const zone = scopeId === 0 ? undefined : zones().names.get(scopeId);
  return formatIpAddress(address) + (zone === undefined ? '' : `%${zone}`);
}

/** Returns the number of the interface behind a zone, or 0. A new interface may be missing for a second. */
export function zoneIndex(name: string): number {
  return zones().indices.get(name) ?? 0;
}

function zones(): Zones {
  const nowMs = performance.now();
  if (known === undefined || nowMs - known.listedMs >= ZONES_LIFETIME_MS) known = listZones(nowMs);
  return known;
}

function listZones(listedMs: number): Zones {
  const indices = new Map<string, number>();
  const names = new Map<number, string>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const scope = addresses?.find((address) => address.family === 'IPv6' && address.scopeid > 0);
    if (scope?.family !== 'IPv6') continue;
    indices.set(name, scope.scopeid);
    names.set(scope.scopeid, name);
  }
  return { listedMs, indices, names };
}
