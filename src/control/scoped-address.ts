import { formatIpAddress, parseIpAddress } from '../wire/address-text.js';
import type { ZoneNames } from './zone-names.js';

/** An address with the zone that a link-local address needs. */
export interface ScopedAddress {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** Interface index; 0: none. */
  readonly scopeId: number;
}

const MAX_SCOPE_ID = 0xffff_ffff;

/**
 * Reads `ADDRESS[%ZONE]`. The zone of a link-local address is the name or the number of an interface, of any
 * other IPv6 address a number.
 *
 * @returns `undefined` if the text is no address, or the zone does not exist.
 *
 * Source: getaddrinfo(3) of glibc; RFC 4007 §11.
 */
export function parseScopedAddress(text: string, zones: ZoneNames): ScopedAddress | undefined {
  const percent = text.indexOf('%');
  const address = parseIpAddress(percent < 0 ? text : text.slice(0, percent));
  if (address === undefined) return undefined;
  if (percent < 0) return { address, scopeId: 0 };

  const scopeId = address.length === 16 ? parseZone(text.slice(percent + 1), address, zones) : undefined;
  return scopeId === undefined ? undefined : { address, scopeId };
}

/** Writes the form that `parseScopedAddress` reads; a zone without an interface is written as its number. */
export function formatScopedAddress({ address, scopeId }: ScopedAddress, zones: ZoneNames): string {
  const text = formatIpAddress(address);
  if (scopeId === 0) return text;
  return `${text}%${(isLinkLocal(address) ? zones.nameOf(scopeId) : undefined) ?? scopeId}`;
}

/** Reads an address with or without a zone and writes it in canonical form; `undefined` if the text is no address. */
export function normalizeScopedAddress(text: string, zones: ZoneNames): string | undefined {
  const scoped = parseScopedAddress(text, zones);
  return scoped === undefined ? undefined : formatScopedAddress(scoped, zones);
}

/** Reads a zone. A name takes precedence over a number: an interface may be called "1". */
function parseZone(zone: string, address: Uint8Array, zones: ZoneNames): number | undefined {
  const named = isLinkLocal(address) ? zones.indexOf(zone) : undefined;
  if (named !== undefined) return named;
  const index = /^[0-9]{1,10}$/.test(zone) ? Number(zone) : Number.NaN;
  return index <= MAX_SCOPE_ID ? index : undefined;
}

/** fe80::/10 and ff02::/16. */
function isLinkLocal(address: Uint8Array): boolean {
  if (address[0] === 0xfe) return (address[1]! & 0xc0) === 0x80;
  return address[0] === 0xff && (address[1]! & 0x0f) === 0x02;
}
