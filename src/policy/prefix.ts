/** Address prefixes: reading the tables of this folder, and telling what a prefix covers. */
import type { IpPrefix } from '../core/configuration.js';
import { parseIpAddress } from '../wire/address-text.js';

/** Reads a prefix that this program itself has written down. A mistake in it is a broken invariant. */
export function prefixOf(text: string): IpPrefix {
  const [address, length] = text.split('/');
  const bytes = parseIpAddress(address);
  if (bytes === undefined || length === undefined) throw new Error(`no prefix: ${text}`);
  return { address: bytes, prefixLength: Number(length) };
}

/** The prefix that covers one address only. */
export function hostPrefix(address: Uint8Array): IpPrefix {
  return { address, prefixLength: address.length * 8 };
}

/** Tests whether a prefix covers an address of the same family. */
export function covers({ address: network, prefixLength }: IpPrefix, address: Uint8Array): boolean {
  if (network.length !== address.length) return false;
  const wholeBytes = prefixLength >> 3;
  for (let i = 0; i < wholeBytes; i++) if (network[i] !== address[i]) return false;
  const restBits = prefixLength & 7;
  return restBits === 0 || (network[wholeBytes] ^ address[wholeBytes]) >> (8 - restBits) === 0;
}
