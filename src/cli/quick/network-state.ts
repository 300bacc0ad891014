import { formatIpPrefix, parseIpPrefix } from '../../control/ip-text.js';
import {
  type InterfaceAddress,
  type InterfaceRoute,
  MAIN_TABLE,
  queryAddresses,
  queryMtu,
} from '../../host/net/ip-query.js';
import { formatPrefix, type Prefix } from '../../host/net/prefix.js';
import { queryAllRoutes } from '../../host/net/routes.js';
import type { TunnelRecord } from '../../host/net/tunnel-record.js';
import { maskHostBits } from './mask-host-bits.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

/** What the host has of an interface, when a reload begins. */
export interface NetworkState {
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly InterfaceRoute[];
  /** Bytes. */
  readonly mtu: number;
  /** What was done for the interface. A reload keeps it true as it goes on. */
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
 * The routes that the main table will have whatever we do: those of the subnets of the file, and those that other
 * programs have added.
 *
 * @param ours The routes that were added for the allowed IPs, as text.
 */
export function foreignRoutes(config: QuickConfig, state: NetworkState, ours: ReadonlySet<string>): InterfaceRoute[] {
  const subnetsBefore = new Set(state.addresses.map(subnetOf));
  const others = state.routes.filter(({ prefix, table }) => {
    const text = formatPrefix(prefix);
    return table === MAIN_TABLE && !ours.has(text) && !subnetsBefore.has(text);
  });
  const subnets = [...config.addresses, ...state.addresses.filter(({ isLinkLocal }) => isLinkLocal)];
  return [...others, ...subnets.map((prefix) => ({ prefix, table: MAIN_TABLE }))];
}

/** @returns Those of the prefixes that the interface has a route for, in whatever table. */
export async function routesStillThere(
  host: QuickHost,
  interfaceName: string,
  prefixes: readonly Prefix[],
): Promise<Prefix[]> {
  const routes = await queryAllRoutes(host.commands, interfaceName);
  const live = new Set(routes.map(({ prefix }) => formatPrefix(prefix)));
  return prefixes.filter((prefix) => live.has(formatPrefix(prefix)));
}

function subnetOf(address: Prefix): string {
  return formatIpPrefix(maskHostBits(parseIpPrefix(formatPrefix(address))!));
}
