import type { IpPrefix } from '../../core/configuration.js';

/** Tests whether an address, 4 or 16 bytes, lies in a prefix. */
export function contains({ address: network, prefixLength }: IpPrefix, address: Uint8Array): boolean {
  if (network.length !== address.length) return false;
  const wholeBytes = prefixLength >> 3;
  for (let i = 0; i < wholeBytes; i++) if (network[i] !== address[i]) return false;
  const restBits = prefixLength & 7;
  return restBits === 0 || (network[wholeBytes]! ^ address[wholeBytes]!) >> (8 - restBits) === 0;
}
