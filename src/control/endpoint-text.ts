import { Endpoint } from '../wire/endpoint.js';
import { formatIpAddress, isIpv4Mapped, parseIpAddress } from './ip-text.js';
import type { ZoneNames } from './zone-names.js';

const PORT = /^[0-9]{1,5}$/;
const ZONE_INDEX = /^[1-9][0-9]{0,9}$/;
const MAX_ZONE_INDEX = 0x7fff_ffff;

/**
 * Reads `1.2.3.4:51820`, `[2001:db8::1]:51820` or `[fe80::1%eth0]:51820`. No host names.
 *
 * An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) becomes the IPv4 address that it means.
 *
 * @returns `undefined` for anything else, for port 0, and for a zone that is no interface.
 */
export function parseEndpoint(text: string, zones: ZoneNames): Endpoint | undefined {
  const colon = text.lastIndexOf(':');
  const port = parsePort(text.slice(colon + 1));
  const host = text.slice(0, Math.max(colon, 0));
  if (port === undefined) return undefined;
  if (host.startsWith('[') && host.endsWith(']')) return parseIpv6Endpoint(host.slice(1, -1), port, zones);

  const address = host.includes(':') ? undefined : parseIpAddress(host);
  return address === undefined ? undefined : Endpoint.from(address, port);
}

/** Writes what `parseEndpoint` reads; a zone whose interface is gone is written as its number. */
export function formatEndpoint(endpoint: Endpoint, zones: ZoneNames): string {
  const address = formatIpAddress(endpoint.address);
  if (endpoint.family === 4) return `${address}:${endpoint.port}`;

  const { scopeId } = endpoint;
  const zone = scopeId === 0 ? '' : `%${zones.nameOf(scopeId) ?? scopeId}`;
  return `[${address}${zone}]:${endpoint.port}`;
}

function parsePort(text: string): number | undefined {
  const port = PORT.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function parseIpv6Endpoint(host: string, port: number, zones: ZoneNames): Endpoint | undefined {
  const percent = host.indexOf('%');
  const address = parseIpAddress(percent < 0 ? host : host.slice(0, percent));
  if (address === undefined || address.length !== 16) return undefined;
  if (percent < 0) return Endpoint.from(isIpv4Mapped(address) ? address.slice(12) : address, port);

  const scopeId = parseZone(host.slice(percent + 1), zones);
  return scopeId === undefined ? undefined : Endpoint.from(address, port, scopeId);
}

/** A name goes before a number: an interface may be called "1". */
function parseZone(zone: string, zones: ZoneNames): number | undefined {
  const index = zones.indexOf(zone) ?? (ZONE_INDEX.test(zone) ? Number(zone) : undefined);
  return index !== undefined && index <= MAX_ZONE_INDEX ? index : undefined;
}
