import type { DeviceState } from '../../control/device-control.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { bypassOthers, divertTraffic, isTrafficDiverted, pickTable } from '../../host/net/default-route.js';
import { addFirewall } from '../../host/net/firewall.js';
import { queryAddresses } from '../../host/net/ip-query.js';
import { formatPrefix, type Prefix, parsePrefix } from '../../host/net/prefix.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { changeRoutes, mostSpecificFirst, queryAllRoutes, uncovered } from '../../host/net/routes.js';
import { markSourceValidation } from '../../host/net/source-validation.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { withNetworkLock } from './locks.js';
import { maskHostBits } from './mask-host-bits.js';
import type { QuickHost } from './quick-host.js';
import { requireDevice } from './require-device.js';

/** The traffic that a tunnel takes, by the way it is routed. */
export interface RoutePlan {
  /** Most specific first. */
  readonly plain: readonly Prefix[];
  /** Default routes that need policy rules; at most one per family. */
  readonly diverted: readonly Prefix[];
  /** The routing table that the user chose for the plain routes. */
  readonly table: string | undefined;
}

/** Plans the routes for the allowed IPs of all peers. */
export function planRoutes(table: string | undefined, allowedIps: readonly IpPrefix[]): RoutePlan {
  if (table === 'off') return { plain: [], diverted: [], table: undefined };

  const texts = new Set(allowedIps.map((prefix) => formatIpPrefix(maskHostBits(prefix))));
  const prefixes = mostSpecificFirst([...texts].map((text) => parsePrefix(text)!));
  if (table !== undefined) return { plain: prefixes, diverted: [], table };
  return {
    plain: prefixes.filter(({ length }) => length > 0),
    diverted: prefixes.filter(({ length }) => length === 0),
    table,
  };
}

/** Adds the routes of a plan that the addresses of the interface have not already made. */
export async function setUpRoutes(
  host: QuickHost,
  interfaceName: string,
  { plain, table }: RoutePlan,
  record: TunnelRecord,
): Promise<void> {
  const wanted = table === undefined ? uncovered(plain, await queryAllRoutes(host.commands, interfaceName)) : plain;
  record.routes = wanted.map(formatPrefix);
  if (table !== undefined) record.routeTable = table;
  host.records.write(interfaceName, record);
  await changeRoutes(host.commands, 'add', interfaceName, wanted, table);
}

/**
 * Keeps the tunnel's own datagrams out of another tunnel that diverts the traffic of a family.
 *
 * Must run before any route to a peer is looked up. Does nothing where there is no other tunnel.
 *
 * @param table The table to use, which is also the mark; default: the device's mark, or a free one.
 */
export async function setUpBypass(
  host: QuickHost,
  interfaceName: string,
  { family }: Prefix,
  record: TunnelRecord,
  table?: number,
): Promise<void> {
  if (record.bypassing?.includes(family) || !(await isTrafficDiverted(host.commands, family))) return;
  await withNetworkLock(host, async () => {
    const mark = await ensureMark(host, interfaceName, record, table);
    record.bypassing = [...(record.bypassing ?? []), family];
    host.records.write(interfaceName, record);
    await bypassOthers(host.commands, family, mark);
  });
}

/**
 * Diverts the traffic of a family into the tunnel, and installs the packet filter for that.
 *
 * @param table The table to use, by the rules of `setUpBypass`.
 */
export async function setUpDiversion(
  host: QuickHost,
  interfaceName: string,
  prefix: Prefix,
  record: TunnelRecord,
  table?: number,
): Promise<void> {
  const { commands, records } = host;
  const { family } = prefix;
  await withNetworkLock(host, async () => {
    const mark = await ensureMark(host, interfaceName, record, table);
    record.diverted = [...new Set([...(record.diverted ?? []), family])];
    records.write(interfaceName, record);
    await divertTraffic(commands, interfaceName, prefix, mark);
    if (family === 4) markSourceValidation(commands, records.folder);
    const addresses = await queryAddresses(commands, interfaceName);
    await addFirewall(commands, { interfaceName, family, addresses, mark });
  });
}

/** Sets the firewall mark of a device, as `wg set` does. @param mark 0: none. */
export async function setMark(host: QuickHost, interfaceName: string, mark: number): Promise<void> {
  host.commands.echo(['wg', 'set', interfaceName, 'fwmark', String(mark)]);
  await host.device(interfaceName).set({ fwmark: mark, replacePeers: false, peers: [] });
}

/** @returns The mark of the device's own datagrams, which is also the table of the diverted traffic. */
async function ensureMark(
  host: QuickHost,
  interfaceName: string,
  record: TunnelRecord,
  table: number | undefined,
): Promise<number> {
  const { fwmark } = await requireDevice(host, interfaceName);
  const mark = table ?? (fwmark === 0 ? await pickTable(host.commands) : fwmark);
  record.table = mark;
  if (fwmark === mark) return mark;
  if (table === undefined) record.hasChosenMark = true;
  await setMark(host, interfaceName, mark);
  return mark;
}

export function allowedIpsOf(device: DeviceState): IpPrefix[] {
  const allowedIps: IpPrefix[] = [];
  for (const peer of device.peers) allowedIps.push(...peer.allowedIps);
  return allowedIps;
}

export function endpointsOf(device: DeviceState): Endpoint[] {
  return [...device.peers].flatMap(({ endpoint }) => endpoint ?? []);
}
