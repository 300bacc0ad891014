/**
 * IPv4 addresses inside of IPv6 addresses. Whoever dials such an address may end at the inner one, so that the inner
 * one is judged as well.
 */
import { covers, prefixOf } from './prefix.js';

/** Where the four bytes of the inner address are, and what they are XORed with. */
interface Reading {
  readonly at: readonly [number, number, number, number];
  readonly mask: number;
}

const LAST_FOUR: Reading = { at: [12, 13, 14, 15], mask: 0 };

/** The first prefix that covers an address tells how to read it. */
const EMBEDDINGS = [
  embedding('::ffff:0:0/96', LAST_FOUR), // IPv4-mapped, RFC 4291 §2.5.5.2
  embedding('::ffff:0:0:0/96', LAST_FOUR), // IPv4-translated, RFC 2765 §2.1
  embedding('::/96', LAST_FOUR), // IPv4-compatible, RFC 4291 §2.5.5.1
  embedding('64:ff9b::/96', LAST_FOUR), // NAT64, RFC 6052 §2.1
  // NAT64 of a local operator, RFC 8215: any of the layouts of RFC 6052 §2.2 that are as long as the prefix. Byte 8 is
  // never part of the address.
  embedding(
    '64:ff9b:1::/48',
    { at: [6, 7, 9, 10], mask: 0 },
    { at: [7, 9, 10, 11], mask: 0 },
    { at: [9, 10, 11, 12], mask: 0 },
    LAST_FOUR,
  ),
  embedding('2002::/16', { at: [2, 3, 4, 5], mask: 0 }), // 6to4, RFC 3056 §2
  embedding('2001::/32', { at: [4, 5, 6, 7], mask: 0 }, { at: [12, 13, 14, 15], mask: 0xff }), // Teredo, RFC 4380 §4
];

/**
 * Returns the IPv4 addresses that an IPv6 address holds, none for other addresses.
 *
 * An address with several layouts has several. Those of network 0 are then left out, since they are mostly the zeros
 * between a prefix and another layout; where all are, one is kept.
 */
export function embeddedIpv4(address: Uint8Array): readonly Uint8Array[] {
  if (address.length === 4) return [];
  const found = EMBEDDINGS.find(({ prefix }) => covers(prefix, address));
  if (found === undefined) return [];
  const inner = found.readings.map(({ at, mask }) => Uint8Array.from(at, (byte) => address[byte] ^ mask));
  const outsideOfNetwork0 = inner.filter((candidate) => candidate[0] !== 0);
  return outsideOfNetwork0.length > 0 ? outsideOfNetwork0 : inner.slice(0, 1);
}

function embedding(prefix: string, ...readings: readonly Reading[]) {
  return { prefix: prefixOf(prefix), readings };
}
