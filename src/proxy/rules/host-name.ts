import { domainToASCII } from 'node:url';

import { formatIpAddress, isIpv4Mapped, parseIpAddress } from '../../control/ip-text.js';

/** RFC 1035 §2.3.4, without the dot at the end. */
const MAX_NAME_CHARACTERS = 253;
const MAX_LABEL_CHARACTERS = 63;
/** Printable ASCII except what separates parts of a URL or of `HOST:PORT`, and the zone of an address. */
const LABEL = /^[!$&-).+\-0-9;=A-Z_a-z~*]+$/;
const ASCII = /^[\x20-\x7e]*$/;

/** A host in its one form for comparisons: a name in lower case without the dot at the end, or an address. */
export interface Host {
  readonly text: string;
  /** 4 or 16 bytes; absent for a name. */
  readonly address?: Uint8Array;
}

/**
 * Reads a name or an address. An IPv4 address inside of an IPv6 address (`::ffff:0:0/96`) is read as the IPv4 address, which
 * it leads to: a rule for it cannot be avoided by the other form.
 *
 * @returns `undefined` if no resolver and no socket can take it.
 */
export function parseHost(text: string): Host | undefined {
  const address = parseIpAddress(text);
  if (address !== undefined) {
    const bytes = isIpv4Mapped(address) ? address.subarray(12) : address;
    return { text: formatIpAddress(bytes), address: bytes };
  }
  const name = parseName(text);
  return name === undefined ? undefined : { text: name };
}

/** @returns The name in lower case, without the dot at the end and with its letters outside of ASCII encoded (RFC 5891 §5.5). */
export function parseName(text: string): string | undefined {
  const ascii = ASCII.test(text) ? text : domainToASCII(text);
  const name = (ascii.endsWith('.') ? ascii.slice(0, -1) : ascii).toLowerCase();
  if (name.length > MAX_NAME_CHARACTERS) return undefined;
  const isValid = name.split('.').every((label) => label.length <= MAX_LABEL_CHARACTERS && LABEL.test(label));
  return isValid ? name : undefined;
}

/** Tests whether `name` is `domain` or lies below it. Both are in the form of `parseName`. */
export function isWithinDomain(name: string, domain: string): boolean {
  return name === domain || (name.endsWith(domain) && name.charCodeAt(name.length - domain.length - 1) === 0x2e);
}
