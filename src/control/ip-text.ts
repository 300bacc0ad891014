import type { IpPrefix } from '../core/configuration.js';
import { formatIpAddress, parseIpAddress } from '../wire/address-text.js';

export { formatIpAddress, isIpv4Mapped, parseIpAddress } from '../wire/address-text.js';

const DECIMAL = /^0*[0-9]{1,3}$/;

/** Reads `ADDRESS/LENGTH`, or `ADDRESS` for that address alone. @returns `undefined` for anything else. */
export function parseIpRange(text: string): IpPrefix | undefined {
  return parseIpPrefix(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
}

/**
 * Reads `ADDRESS/LENGTH`. The length is decimal and must be there; host bits may be set.
 *
 * @returns `undefined` for anything else.
 */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;

  const address = parseIpAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !DECIMAL.test(lengthText)) return undefined;

  const prefixLength = Number(lengthText);
  return prefixLength <= 8 * address.length ? { address, prefixLength } : undefined;
}

export function formatIpPrefix({ address, prefixLength }: IpPrefix): string {
  return `${formatIpAddress(address)}/${prefixLength}`;
}

/** Clears the host bits: `10.1.2.3/24` becomes `10.1.2.0/24`. */
export function networkOf({ address, prefixLength }: IpPrefix): IpPrefix {
  const network = address.slice();
  for (let bit = prefixLength; bit < 8 * network.length; bit++) network[bit >> 3]! &= ~(0x80 >> (bit & 7));
  return { address: network, prefixLength };
}
