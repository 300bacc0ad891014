import { removeBypass, removeRules } from '../../host/net/default-route.js';
import { addFirewall, removeFirewall } from '../../host/net/firewall.js';
import { queryAddresses, queryRoutes } from '../../host/net/ip-query.js';
import { formatPrefix, type Prefix, parsePrefix } from '../../host/net/prefix.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import { changeRoutes, uncovered } from '../../host/net/routes.js';
import { restoreSourceValidation } from '../../host/net/source-validation.js';
import type { IpFamily } from '../../wire/endpoint.js';
import { withNetworkLock } from './locks.js';
import { type RoutePlan, setMark, setUpBypass, setUpDiversion } from './network-setup.js';
import { addedRoutes, foreignRoutes, type NetworkState } from './network-state.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import type { ReloadStep } from './reload-step.js';

const FAMILIES: readonly IpFamily[] = [4, 6];
const NAMED_TABLES: Readonly<Record<string, number>> = { main: 254, default: 253, local: 255 };

/**
 * Finds the routes to add and to remove. Routes of other programs into the interface stay.
 *
 * @param addresses The addresses that the interface will have.
 * @param before The plan for the previous allowed IPs, used if no record lists the added routes.
 */
export async function planPlainRoutes(
  host: QuickHost,
  { interfaceName }: QuickConfig,
  state: NetworkState,
  addresses: readonly Prefix[],
  [before, after]: readonly [RoutePlan, RoutePlan],
): Promise<ReloadStep> {
  const { record } = state;
  const tableBefore = record.routes === undefined ? before.table : record.routeTable;
  const live = await addedRoutes(host, interfaceName, tableBefore);
  const recorded = record.routes?.map((text) => parsePrefix(text)!) ?? before.plain;
  const ours = recorded.filter((prefix) => live.has(formatPrefix(prefix)));
  // A route of ours in another table covers nothing in the main one.
  const oursInMain = new Set(isSameTable(tableBefore, undefined) ? ours.map(formatPrefix) : []);
  const wanted =
    after.table === undefined ? uncovered(after.plain, foreignRoutes(addresses, state, oursInMain)) : after.plain;

  const isSame = isSameTable(tableBefore, after.table);
  const added = isSame ? without(wanted, ours) : wanted;
  const removed = isSame ? without(ours, wanted) : ours;
  return {
    lines: [
      ...removed.map((prefix) => `- route ${routeText(prefix, tableBefore)}`),
      ...added.map((prefix) => `+ route ${routeText(prefix, after.table)}`),
    ],
    apply: async () => {
      await replaceRoutes(host, interfaceName, [removed, tableBefore], [wanted, after.table]);
      recordRoutes(record, wanted.map(formatPrefix), after.table);
    },
    revert: async () => {
      await replaceRoutes(host, interfaceName, [added, after.table], [ours, tableBefore]);
      recordRoutes(record, recorded.map(formatPrefix), tableBefore);
    },
  };
}

/**
 * Finds the changes for traffic that is diverted into the tunnel. The packet filter holds the addresses of the
 * interface, and changes with them.
 *
 * @param mark The firewall mark that the device will have; 0: to be chosen.
 */
export function planDiversions(
  host: QuickHost,
  config: QuickConfig,
  { record }: NetworkState,
  after: RoutePlan,
  mark: number,
): ReloadStep {
  const before = [...(record.diverted ?? [])];
  const tableBefore = record.table;
  const wanted = after.diverted.map(({ family }) => family);
  const isMoved = mark !== record.table;
  const removed = before.filter((family) => isMoved || !wanted.includes(family));
  const added = wanted.filter((family) => isMoved || !before.includes(family));

  const { interfaceName } = config;
  const replace = async (gone: readonly IpFamily[], come: readonly IpFamily[], table?: number): Promise<void> => {
    for (const family of gone) await removeDiversion(host, interfaceName, family, record);
    for (const family of come) {
      await setUpBypass(host, interfaceName, defaultPrefix(family), record, table);
      await setUpDiversion(host, interfaceName, defaultPrefix(family), record, table);
    }
    await mendDiversions(host, interfaceName, record);
  };
  return {
    lines: [
      ...removed.map((family) => `- default route IPv${family}`),
      ...added.map((family) => `+ default route IPv${family}`),
    ],
    apply: () => replace(removed, added),
    revert: () =>
      replace(
        (record.diverted ?? []).filter((family) => added.includes(family)),
        before.filter((family) => removed.includes(family)),
        tableBefore,
      ),
  };
}

/** Replaces routes. Routes that vanished with an address are not removed; routes that are missing are added. */
async function replaceRoutes(
  host: QuickHost,
  interfaceName: string,
  [unwanted, tableBefore]: [readonly Prefix[], string | undefined],
  [wanted, table]: [readonly Prefix[], string | undefined],
): Promise<void> {
  const before = await addedRoutes(host, interfaceName, tableBefore);
  const leftOver = unwanted.filter((prefix) => before.has(formatPrefix(prefix)));
  await changeRoutes(host.commands, 'delete', interfaceName, leftOver, tableBefore);
  const there = await addedRoutes(host, interfaceName, table);
  const missing = wanted.filter((prefix) => !there.has(formatPrefix(prefix)));
  await changeRoutes(host.commands, 'add', interfaceName, missing, table);
}

/** @returns The items of `prefixes` that are not among `others`. */
function without(prefixes: readonly Prefix[], others: readonly Prefix[]): Prefix[] {
  const texts = new Set(others.map(formatPrefix));
  return prefixes.filter((prefix) => !texts.has(formatPrefix(prefix)));
}

/** Returns whether two names mean one routing table. Source: ip-route(8), rtnetlink(7). */
function isSameTable(a: string | undefined, b: string | undefined): boolean {
  const numberOf = (table = 'main') => NAMED_TABLES[table] ?? (Number.isNaN(Number(table)) ? table : Number(table));
  return numberOf(a) === numberOf(b);
}

function recordRoutes(record: TunnelRecord, routes: string[], table: string | undefined): void {
  record.routes = routes;
  if (table === undefined) delete record.routeTable;
  else record.routeTable = table;
}

async function removeDiversion(
  host: QuickHost,
  interfaceName: string,
  family: IpFamily,
  record: TunnelRecord,
): Promise<void> {
  const { commands } = host;
  const table = record.table ?? 0;
  await withNetworkLock(host, async () => {
    await removeRules(commands, interfaceName, family, table);
    if (record.bypassing?.includes(family)) await removeBypass(commands, family, table);
    record.bypassing = (record.bypassing ?? []).filter((other) => other !== family);
    if (await hasDefaultRoute(host, interfaceName, family, table)) {
      await changeRoutes(commands, 'delete', interfaceName, [defaultPrefix(family)], String(table));
    }
    record.diverted = (record.diverted ?? []).filter((other) => other !== family);
    if (record.diverted.length === 0 && record.hasChosenMark === true) {
      delete record.hasChosenMark;
      await setMark(host, interfaceName, 0);
    }
    host.records.write(interfaceName, record);
    if (family === 4) await restoreSourceValidation(commands, host.records.folder);
  });
}

async function mendDiversions(host: QuickHost, interfaceName: string, record: TunnelRecord): Promise<void> {
  const { diverted = [], table = 0 } = record;
  const plain = FAMILIES.filter((family) => !diverted.includes(family));
  await removeFirewall(host.commands, interfaceName, plain);
  if (diverted.length === 0) return;

  const addresses = await queryAddresses(host.commands, interfaceName);
  for (const family of diverted) {
    if (!(await hasDefaultRoute(host, interfaceName, family, table))) {
      await changeRoutes(host.commands, 'add', interfaceName, [defaultPrefix(family)], String(table));
    }
    await addFirewall(host.commands, { interfaceName, family, addresses, mark: table });
  }
}

async function hasDefaultRoute(
  host: QuickHost,
  interfaceName: string,
  family: IpFamily,
  table: number,
): Promise<boolean> {
  const routes = await queryRoutes(host.commands, interfaceName, family);
  return routes.some((route) => route.prefix.length === 0 && route.table === table);
}

function defaultPrefix(family: IpFamily): Prefix {
  return parsePrefix('default', family)!;
}

function routeText(prefix: Prefix, table: string | undefined): string {
  return table === undefined ? formatPrefix(prefix) : `${formatPrefix(prefix)} table ${table}`;
}
