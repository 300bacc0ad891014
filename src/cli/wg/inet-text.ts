import { formatIpAddress, parseIpAddress } from '../../control/ip-text.js';

/**
 * Writes an address as the C library does: like RFC 5952, but the last 32 bits of ::/96 in dots.
 *
 * Source: inet_ntop(3) of glibc.
 */
export function formatInet(address: Uint8Array): string {
  return isIpv4Compatible(address) ? `::${formatIpAddress(address.subarray(12))}` : formatIpAddress(address);
}

/** Reads an address and writes it again in the one form; `undefined` if it is none. */
export function normalizeInet(text: string): string | undefined {
  const address = parseIpAddress(text);
  return address === undefined ? undefined : formatInet(address);
}

/** `::a.b.c.d`, which RFC 4291 §2.5.5.1 no longer uses. `::1` and the like are not meant. */
function isIpv4Compatible(address: Uint8Array): boolean {
  if (address.length !== 16 || (address[12] === 0 && address[13] === 0)) return false;
  return address.subarray(0, 12).every((byte) => byte === 0);
}
