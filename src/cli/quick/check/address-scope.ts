import { networkInterfaces } from 'node:os';

import { parseIpAddress, parseIpPrefix } from '../../../control/ip-text.js';
import type { IpPrefix } from '../../../core/configuration.js';
import { maskHostBits } from '../mask-host-bits.js';
import type { CheckedHost } from './checked-host.js';

/** Ranges that the internet does not route. Source: RFC 1918, RFC 6598, RFC 3927, RFC 1122; RFC 4193, RFC 4291. */
const PRIVATE_RANGES: readonly IpPrefix[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
  'fc00::/7',
  'fe80::/10',
  '::1/128',
].map((text) => parseIpPrefix(text)!);

/** @returns Whether the address is meaningless outside its own network. */
export function isPrivateAddress(address: Uint8Array): boolean {
  return PRIVATE_RANGES.some(
    (range) =>
      range.address.length === address.length &&
      Buffer.compare(maskHostBits({ address, prefixLength: range.prefixLength }).address, range.address) === 0,
  );
}

/** Deduces this machine's place in the network from its own addresses. */
export function describeThisHost(interfaces = networkInterfaces()): CheckedHost {
  const addresses = Object.values(interfaces)
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => parseIpAddress(address.replace(/%.*/, '')));
  const isPublic = (bytes: number) =>
    addresses.some((address) => address?.length === bytes && !isPrivateAddress(address));
  return { isBehindNat: !isPublic(4), hasPublicIpv6: isPublic(16) };
}
