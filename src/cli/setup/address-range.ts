import type { IpPrefix } from '../../core/configuration.js';

/** Addresses as numbers, for arithmetic. Both ends are inside. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Finds the lowest address of a subnet that is not taken.
 *
 * The subnet's own address and the broadcast address of IPv4 are reserved. Ranges in `taken` that are as large as
 * the subnet or larger are ignored: they are routes, not addresses of peers.
 *
 * @returns 4 or 16 bytes; `undefined` if the subnet is full.
 */
export function nextAddress(subnet: IpPrefix, taken: Iterable<IpPrefix>): Uint8Array | undefined {
  const { first, last } = toSpan(subnet);
  const bits = 8 * subnet.address.length;
  const end = bits === 32 && subnet.prefixLength < 31 ? last - 1n : last;
  let candidate = subnet.prefixLength < bits - 1 ? first + 1n : first;
  for (const span of spansInside(subnet, taken)) {
    if (span.first > candidate) break;
    if (span.last >= candidate) candidate = span.last + 1n;
  }
  return candidate <= end ? toBytes(candidate, subnet.address.length) : undefined;
}

/** Tests whether two ranges share an address. */
export function overlaps(a: IpPrefix, b: IpPrefix): boolean {
  if (a.address.length !== b.address.length) return false;
  const [x, y] = [toSpan(a), toSpan(b)];
  return x.first <= y.last && y.first <= x.last;
}

/** Tests whether all of `inner` is in `outer`. */
export function covers(outer: IpPrefix, inner: IpPrefix): boolean {
  return overlaps(outer, inner) && outer.prefixLength <= inner.prefixLength;
}

/**
 * Tests whether an address of a subnet is reserved: the first one (for IPv6 the anycast address of routers, RFC 4291
 * §2.6.1), and the broadcast address of IPv4. Subnets of two addresses have neither (RFC 3021, RFC 6164).
 */
export function isReserved(subnet: IpPrefix, address: Uint8Array): boolean {
  const bits = 8 * subnet.address.length;
  const single = { address, prefixLength: 8 * address.length };
  if (subnet.prefixLength >= bits - 1 || !overlaps(subnet, single)) return false;
  const { first, last } = toSpan(subnet);
  const number = toSpan(single).first;
  return number === first || (bits === 32 && number === last);
}

function spansInside(subnet: IpPrefix, taken: Iterable<IpPrefix>): Span[] {
  const spans: Span[] = [];
  for (const prefix of taken) {
    if (prefix.prefixLength > subnet.prefixLength && overlaps(prefix, subnet)) spans.push(toSpan(prefix));
  }
  return spans.sort((a, b) => (a.first < b.first ? -1 : Number(a.first > b.first)));
}

function toSpan({ address, prefixLength }: IpPrefix): Span {
  const hostBits = BigInt(8 * address.length - prefixLength);
  const number = address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const first = (number >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n };
}

function toBytes(number: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = number; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  return bytes;
}
