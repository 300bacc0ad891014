import { Endpoint, FAMILY_PATH } from '../wire/endpoint.js';
import { formatIpAddress, isIpv4Mapped } from './ip-text.js';
import { formatScopedAddress, parseScopedAddress } from './scoped-address.js';
import type { ZoneNames } from './zone-names.js';

/** Zones are numbers, as in addresses of hosts far away: names of interfaces are known to one host alone. */
export const NO_ZONES: ZoneNames = { nameOf: () => undefined, indexOf: () => undefined };

const PORT = /^[0-9]{1,5}$/;
const MAX_PORT = 65_535;

/**
 * Reads `1.2.3.4:51820`, `[2001:db8::1]:51820` or `[fe80::1%eth0]:51820`. No host names.
 *
 * An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) becomes that IPv4 address. Port 0 is read as
 * wireguard-go reads it: scripts set `0.0.0.0:0` to clear an endpoint.
 *
 * @returns `undefined` for anything else, and for a zone that is no interface.
 */
export function parseEndpoint(text: string, zones: ZoneNames): Endpoint | undefined {
  const colon = text.lastIndexOf(':');
  const port = parsePort(text.slice(colon + 1));
  const host = text.slice(0, Math.max(colon, 0));
  if (port === undefined) return undefined;

  const isBracketed = host.startsWith('[') && host.endsWith(']');
  const scoped = parseScopedAddress(isBracketed ? host.slice(1, -1) : host, zones);
  if (scoped === undefined || isBracketed !== (scoped.address.length === 16)) return undefined;
  const { address, scopeId } = scoped;
  return isIpv4Mapped(address) && scopeId === 0
    ? Endpoint.from(address.slice(12), port)
    : Endpoint.from(address, port, scopeId);
}

/**
 * Writes the form that `parseEndpoint` reads. A path that is no UDP address is written as an address of fd7a::/16 with
 * port 0,
 * which every tool can show and no program sends to. A zone whose interface is gone is written as its number.
 */
export function formatEndpoint(endpoint: Endpoint, zones: ZoneNames): string {
  if (endpoint.family === FAMILY_PATH) return `[${formatIpAddress(pathAddress(endpoint.address))}]:0`;
  const address = formatScopedAddress(endpoint, zones);
  return endpoint.family === 4 ? `${address}:${endpoint.port}` : `[${address}]:${endpoint.port}`;
}

function parsePort(text: string): number | undefined {
  const port = PORT.test(text) ? Number(text) : Number.NaN;
  return port <= MAX_PORT ? port : undefined;
}

/** The last 14 bytes of the id, behind a prefix of unique local addresses (RFC 4193). */
function pathAddress(id: Uint8Array): Uint8Array {
  const address = id.slice();
  address.set(PATH_PREFIX);
  return address;
}

const PATH_PREFIX = Uint8Array.of(0xfd, 0x7a);
