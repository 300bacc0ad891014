import type { ConfigDocument } from '../../control/config/config-document.js';
import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { nextAddress } from './address-range.js';
import { filePeers } from './file-peers.js';

/**
 * Picks an address for a new peer in each of the server's subnets. Addresses of disabled peers stay reserved.
 *
 * @returns Addresses with the prefix length of a single address.
 * @throws {WireGuardError} ERR_NO_ADDRESS if the server has no subnet, or one is full.
 */
export function freeAddresses(document: ConfigDocument): string[] {
  const own = document.interfaceSection?.addresses ?? [];
  const subnets = own.filter(({ address, prefixLength }) => prefixLength < 8 * address.length);
  if (subnets.length === 0) {
    throw new WireGuardError('ERR_NO_ADDRESS', `${document.fileName} has no Address with a subnet to pick from`);
  }
  const taken: IpPrefix[] = own.map(({ address }) => ({ address, prefixLength: 8 * address.length }));
  for (const { peer } of filePeers(document)) taken.push(...peer.allowedIps.filter(({ isRemoval }) => !isRemoval));

  return subnets.map((subnet) => {
    const address = nextAddress(subnet, taken);
    if (address !== undefined) return formatIpPrefix({ address, prefixLength: 8 * address.length });
    throw new WireGuardError('ERR_NO_ADDRESS', `${document.fileName}: ${formatIpPrefix(networkOf(subnet))} is full`);
  });
}
