import type { IpPrefix } from '../../core/configuration.js';

/** Clears the bits behind the length of a prefix, as devices do with allowed IPs. */
export function maskHostBits({ address, prefixLength }: IpPrefix): IpPrefix {
  const masked = address.slice();
  for (let bit = prefixLength; bit < 8 * masked.length; bit++) masked[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return { address: masked, prefixLength };
}
