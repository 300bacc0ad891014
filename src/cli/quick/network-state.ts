import { formatIpPrefix, parseIpPrefix } from '../../control/ip-text.js';
import {
  type InterfaceAddress,
  type InterfaceRoute,
  MAIN_TABLE,
  queryAddresses,
  queryMtu,
  queryRoutes,
} from '../../host/net/ip-query.js';
import { formatPrefix, isLinkLocal, type Prefix } from '../../host/net/prefix.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { queryAllRoutes } from '../../host/net/routes.js';
import { maskHostBits } from './mask-host-bits.js';
import type { QuickHost } from './quick-host.js';

/** The host's state of an interface when a reload begins. */
export interface NetworkState {
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly InterfaceRoute[];
  /** Bytes. */
  readonly mtu: number;
  /** The record of what was done for the interface, which a reload keeps up to date. */
  readonly record: TunnelRecord;
}

export async function readNetworkState(
  host: QuickHost,
  interfaceName: string,
  record: TunnelRecord,
): Promise<NetworkState> {
  return {
    addresses: await queryAddresses(host.commands, interfaceName),
    routes: await queryAllRoutes(host.commands, interfaceName),
    mtu: (await queryMtu(host.commands, interfaceName)) ?? 0,
    record,
  };
}

/**
 * Returns the routes that the main table will have in any case: those of the subnets of the file, and those that other
 * programs have added.
 *
 * @param addresses The addresses that the interface will have; addresses that the kernel has made count as well.
 * @param ours The routes that were added for the allowed IPs, as text.
 */
export function foreignRoutes(
  addresses: readonly Prefix[],
  state: NetworkState,
  ours: ReadonlySet<string>,
): InterfaceRoute[] {
  const others = state.routes.filter(
    ({ prefix, table, isKernels }) => table === MAIN_TABLE && !isKernels && !ours.has(formatPrefix(prefix)),
  );
  const subnets = [...addresses, ...state.addresses.filter(isLinkLocal)].filter(hasSubnet).map(subnetOf);
  return [...others, ...subnets.map((prefix) => ({ prefix, table: MAIN_TABLE, isKernels: true }))];
}

/** @returns The routes that were added to a table, as text; routes of the kernel are omitted. */
export async function addedRoutes(
  host: QuickHost,
  interfaceName: string,
  table: string | undefined,
): Promise<Set<string>> {
  const texts = new Set<string>();
  for (const family of [4, 6] as const) {
    for (const { prefix, isKernels } of await queryRoutes(host.commands, interfaceName, family, table ?? 'main')) {
      if (!isKernels) texts.add(formatPrefix(prefix));
    }
  }
  return texts;
}

/** Tests whether the kernel makes a route in the main table, as it does not for a single IPv4 address. */
function hasSubnet({ family, length }: Prefix): boolean {
  return family === 6 || length < 32;
}

function subnetOf(address: Prefix): Prefix {
  const masked = formatIpPrefix(maskHostBits(parseIpPrefix(formatPrefix(address))!));
  return { ...address, address: masked.slice(0, masked.lastIndexOf('/')) };
}
