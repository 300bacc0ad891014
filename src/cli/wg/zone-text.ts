import { parseIpAddress } from '../../control/ip-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import { formatInet } from './inet-text.js';

const MAX_SCOPE = 0xffff_ffff;

/** Writes an address with or without a zone in the one form; a text that is no address stays as it is. */
export function formatScoped(host: string): string {
  return resolveScoped(host) ?? host;
}

/**
 * Reads `ADDRESS[%ZONE]` and writes it as the C library does: a zone of a link-local address by its name.
 *
 * @returns `undefined` if it is no address, or the zone does not exist.
 *
 * Source: getaddrinfo(3), getnameinfo(3) of glibc; RFC 4007 §11.
 */
export function resolveScoped(host: string): string | undefined {
  const percent = host.indexOf('%');
  const address = parseIpAddress(percent < 0 ? host : host.slice(0, percent));
  if (address === undefined) return undefined;
  if (percent < 0) return formatInet(address);

  const zone = address.length === 16 ? formatZone(host.slice(percent + 1), isLinkLocal(address)) : undefined;
  return zone === undefined ? undefined : formatInet(address) + zone;
}

function formatZone(zone: string, isLinkLocal: boolean): string | undefined {
  const zones = new SystemZoneNames();
  const index = (isLinkLocal ? zones.indexOf(zone) : undefined) ?? parseIndex(zone);
  if (index === undefined) return undefined;
  if (index === 0) return '';
  return `%${(isLinkLocal ? zones.nameOf(index) : undefined) ?? index}`;
}

function parseIndex(zone: string): number | undefined {
  const index = /^[0-9]{1,10}$/.test(zone) ? Number(zone) : Number.NaN;
  return index <= MAX_SCOPE ? index : undefined;
}

/** fe80::/10 and ff02::/16. */
function isLinkLocal(address: Uint8Array): boolean {
  if (address[0] === 0xfe) return (address[1]! & 0xc0) === 0x80;
  return address[0] === 0xff && (address[1]! & 0x0f) === 0x02;
}
