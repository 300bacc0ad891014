import type { IpFamily } from '../../wire/endpoint.js';
import type { Commands } from './commands.js';
import { isLinkLocal, type Prefix, parsePrefix } from './prefix.js';

/** An object that `ip -j` prints. */
type IpRecord = Readonly<Record<string, unknown>>;

/** An address of an interface, with the length of its subnet. */
export interface InterfaceAddress extends Prefix {
  /** The kernel made the address by itself, as it does with link-local addresses. */
  readonly isLinkLocal: boolean;
}

/** A route into an interface. */
export interface InterfaceRoute {
  readonly prefix: Prefix;
  readonly table: number;
  /** The kernel has made the route, for the subnet of an address. */
  readonly isKernels: boolean;
}

/** A policy rule, with the fields that diverting traffic into a tunnel needs. */
export interface PolicyRule {
  readonly priority: number;
  readonly isInverted: boolean;
  /** 0: any. */
  readonly mark: number;
  readonly table: number;
  readonly suppressPrefixLength: number | undefined;
  /** The rule matches nothing but the mark. */
  readonly isForEverySource: boolean;
}

export const MAIN_TABLE = 254;
/** The table of the kernel's own routes, to the addresses of the host. */
const LOCAL_TABLE = 255;

/** The metric of a route that is used only when there is no other. */
export const LAST_METRIC = 0xffff_ffff;
/** RTPROT_KERNEL of rtnetlink(7), as a number because `ip -N` prints numbers. */
const KERNEL_PROTOCOL = 2;

const KEYS_OF_PLAIN_RULES = new Set(['priority', 'not', 'src', 'fwmark', 'table', 'suppress_prefixlen', 'protocol']);

/** @returns The link's MTU in bytes, or `undefined` if there is no such interface. */
export async function queryMtu(commands: Commands, name: string): Promise<number | undefined> {
  const [link] = await query(commands, ['link', 'show', 'dev', name]);
  return link === undefined ? undefined : numberOf(link['mtu']);
}

/** @returns Whether an interface is up; `undefined` if there is no such interface in this network namespace. */
export async function isLinkUp(commands: Commands, name: string): Promise<boolean | undefined> {
  const [link] = await query(commands, ['link', 'show', 'dev', name]);
  const flags = link?.['flags'];
  return Array.isArray(flags) ? flags.includes('UP') : undefined;
}

export async function queryAddresses(commands: Commands, name: string): Promise<InterfaceAddress[]> {
  const [link] = await query(commands, ['address', 'show', 'dev', name]);
  const addresses: InterfaceAddress[] = [];
  for (const record of recordsOf(link?.['addr_info'])) {
    const prefix = parsePrefix(`${record['local']}/${record['prefixlen']}`);
    if (prefix !== undefined) addresses.push({ ...prefix, isLinkLocal: isLinkLocal(prefix) });
  }
  return addresses;
}

/**
 * @param table Number or name; `all`: all tables but `local`.
 * @returns The interface's unicast routes.
 */
export async function queryRoutes(
  commands: Commands,
  name: string,
  family: IpFamily,
  table = 'all',
): Promise<InterfaceRoute[]> {
  const routes: InterfaceRoute[] = [];
  for (const record of await query(commands, ['route', 'show', 'dev', name, 'table', table], family)) {
    const prefix = parsePrefix(String(record['dst']), family);
    const found = Number(record['table'] ?? MAIN_TABLE);
    if (prefix === undefined || record['type'] !== undefined || (table === 'all' && found === LOCAL_TABLE)) continue;
    routes.push({ prefix, table: found, isKernels: Number(record['protocol']) === KERNEL_PROTOCOL });
  }
  return routes;
}

/** @returns The interfaces that the routes of a table lead into. */
export async function queryTableDevices(commands: Commands, table: number, family: IpFamily): Promise<Set<string>> {
  const records = await query(commands, ['route', 'show', 'table', String(table)], family);
  return new Set(records.filter(({ type }) => type === undefined).map(({ dev }) => String(dev)));
}

/** @returns Whether a table refuses packets that match none of its other routes, as after `refuseRest`. */
export async function isRestRefused(commands: Commands, table: number, family: IpFamily): Promise<boolean> {
  const records = await query(commands, ['route', 'show', 'table', String(table), 'type', 'unreachable'], family);
  return records.some(({ dst, metric }) => dst === 'default' && metric === LAST_METRIC);
}

/** @returns Whether a routing table has no route of this family, as a table that was never used. */
export async function isTableEmpty(commands: Commands, table: number, family: IpFamily): Promise<boolean> {
  return (await query(commands, ['route', 'show', 'table', String(table)], family)).length === 0;
}

/** @returns The rules in the order in which the kernel tries them. */
export async function queryRules(commands: Commands, family: IpFamily): Promise<PolicyRule[]> {
  const records = await query(commands, ['rule', 'show'], family);
  return records.map((record) => ({
    priority: numberOf(record['priority']) ?? 0,
    isInverted: 'not' in record,
    mark: Number(record['fwmark'] ?? 0),
    table: Number(record['table']),
    suppressPrefixLength: numberOf(record['suppress_prefixlen']),
    isForEverySource: record['src'] === 'all' && Object.keys(record).every((key) => KEYS_OF_PLAIN_RULES.has(key)),
  }));
}

/** A way out of the host. */
export interface Way {
  /** The destination of the datagrams. */
  readonly destination: string;
  /** The route's own MTU in bytes, if it has one. */
  readonly mtu: number | undefined;
  /** Name of the interface. */
  readonly device: string;
}

/**
 * Finds the routes of datagrams to some addresses, in one process for all addresses.
 *
 * @param mark The firewall mark of the datagrams; 0: none.
 * @returns The ways to all addresses that have a route.
 */
export async function queryWays(commands: Commands, addresses: readonly string[], mark: number): Promise<Way[]> {
  if (addresses.length === 0) return [];
  const suffix = mark === 0 ? '' : ` mark ${mark}`;
  const lines = addresses.map((address) => `route get ${address}${suffix}\n`);
  // One line of JSON for each address that has a route; the others go to standard error.
  const { stdout } = await commands.ask(['ip', '-N', '-j', '-force', '-batch', '-'], lines.join(''));
  const answers = stdout.split('\n').filter((line) => line.startsWith('[{') && line.endsWith('}]'));
  return answers.flatMap((line) => recordsOf(JSON.parse(line)).slice(0, 1).map(wayOf));
}

/**
 * Finds the route that datagrams to an address would take if an interface had no routes.
 *
 * @returns `undefined` if there is no route.
 */
export async function queryWayBeside(commands: Commands, address: string, without: string): Promise<Way | undefined> {
  const family = address.includes(':') ? 6 : 4;
  const records = await query(commands, ['route', 'show', 'match', address], family);
  const ways = records.filter((record) => record['dev'] !== undefined && record['dev'] !== without);
  const lengthOf = (record: IpRecord) => parsePrefix(String(record['dst']), family)?.length ?? 0;
  const [best] = ways.sort((a, b) => lengthOf(b) - lengthOf(a) || Number(a['metric'] ?? 0) - Number(b['metric'] ?? 0));
  return best === undefined ? undefined : wayOf(best);
}

/** @returns The way of the default route, IPv4 before IPv6. */
export async function queryDefaultWay(commands: Commands): Promise<Way | undefined> {
  for (const family of [4, 6] as const) {
    const [route] = await query(commands, ['route', 'show', 'default'], family);
    if (route !== undefined) return wayOf(route);
  }
  return undefined;
}

function wayOf(route: IpRecord): Way {
  const metrics = recordsOf(route['metrics']);
  return { destination: String(route['dst']), mtu: numberOf(metrics[0]?.['mtu']), device: String(route['dev']) };
}

/** @returns No records where `ip` fails, as for a missing interface or table. */
async function query(commands: Commands, words: readonly string[], family?: IpFamily): Promise<IpRecord[]> {
  const familyOption = family === undefined ? [] : [`-${family}`];
  // Tables must be numbers: /etc/iproute2/rt_tables may give them any name.
  const { status, stdout } = await commands.ask(['ip', '-N', '-j', ...familyOption, ...words]);
  return status === 0 && stdout.trim() !== '' ? recordsOf(JSON.parse(stdout)) : [];
}

/** Skips the empty objects that `ip` prints for filtered items. */
function recordsOf(value: unknown): IpRecord[] {
  return Array.isArray(value) ? value.filter((item): item is IpRecord => isFilledRecord(item)) : [];
}

function isFilledRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
