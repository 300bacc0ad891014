/**
 * The policy rules that divert a host's traffic into a tunnel without changing its default route.
 *
 * ```text
 *  tried first   from all lookup main suppress_prefixlength 0   destinations with other routes keep them,
 *                not from all fwmark N lookup N                 the rest goes into the tunnel,
 *                from all fwmark N lookup main                  and so do datagrams of other tunnels, not our own
 *  tried last    from all lookup main                           N marks the tunnel's own datagrams
 * ```
 *
 * The third rule exists only where another tunnel has already diverted the traffic: without the rule, each
 * of the two tunnels would send the other's datagrams through itself for ever.
 *
 * Table N also has a default route of the worst metric that refuses everything: until `down`, the traffic does not
 * leave in clear when the daemon is gone.
 *
 * Source: ip-rule(8); wg-quick(8).
 */
import type { IpFamily } from '../../wire/endpoint.js';
import { isCommandError } from './command-error.js';
import type { Commands } from './commands.js';
import {
  isRestRefused,
  isTableEmpty,
  LAST_METRIC,
  MAIN_TABLE,
  type PolicyRule,
  queryRules,
  queryTableDevices,
} from './ip-query.js';
import type { Prefix } from './prefix.js';
import { changeRoutes } from './routes.js';

/** The first number that is tried for a table and a mark. */
const FIRST_TABLE = 51_820;

/** @returns A number for both table and firewall mark: no table with routes and no rule has it. */
export async function pickTable(commands: Commands): Promise<number> {
  const rules = [...(await queryRules(commands, 4)), ...(await queryRules(commands, 6))];
  for (let table = FIRST_TABLE; ; table++) {
    const isNamed = rules.some((rule) => rule.table === table || rule.mark === table);
    if (!isNamed && (await isTableEmpty(commands, table, 4)) && (await isTableEmpty(commands, table, 6))) return table;
  }
}

/**
 * Lets the datagrams of a tunnel leave the host beside another tunnel that diverts its traffic.
 *
 * @param mark The mark of the tunnel's datagrams.
 * @returns Whether there is another tunnel, so that a rule was added.
 */
export async function bypassOthers(commands: Commands, family: IpFamily, mark: number): Promise<boolean> {
  const isSecond = (await queryRules(commands, family)).some((rule) => isDiverting(rule) && rule.mark !== mark);
  if (isSecond) await changeRule(commands, family, 'add', bypassWords(mark));
  return isSecond;
}

/** Removes the rule that `bypassOthers` added. */
export async function removeBypass(commands: Commands, family: IpFamily, mark: number): Promise<void> {
  const bypass = (await queryRules(commands, family)).find((rule) => isBypass(rule, mark));
  if (bypass !== undefined) await changeRule(commands, family, 'delete', bypassWords(mark), bypass.priority);
}

/**
 * Sends all traffic of one family into the tunnel, except to destinations with other routes.
 *
 * The rules are added before the route, so that no packet takes the route while its way back has no rule.
 *
 * @param prefix The default route.
 * @param table The table for the route, and the mark of the tunnel's own datagrams.
 */
export async function divertTraffic(commands: Commands, name: string, prefix: Prefix, table: number): Promise<void> {
  await divertUntilGone(commands, name, prefix, table);
  await refuseRest(commands, prefix.family, table);
}

/** Does as `divertTraffic`, but traffic leaves by the host itself again as soon as the interface is gone. */
export async function divertUntilGone(commands: Commands, name: string, prefix: Prefix, table: number): Promise<void> {
  const { family } = prefix;
  await changeRule(commands, family, 'add', divertWords(table));
  await changeRule(commands, family, 'add', suppressWords());
  await changeRoutes(commands, 'add', name, [prefix], String(table));
}

/**
 * Removes the rules that `divertTraffic` added for this table, and no others. A table that leads into another interface
 * now belongs to another tunnel: its rules are kept.
 *
 * The suppressing rules of two tunnels look alike: ours is the last such rule before our diverting rule. It is removed
 * first: after an interruption, the diverting rule can still be found.
 *
 * @param name The tunnel.
 */
export async function removeRules(commands: Commands, name: string, family: IpFamily, table: number): Promise<void> {
  const devices = await queryTableDevices(commands, table, family);
  devices.delete(name);
  if (devices.size > 0) return;

  await removeDivertingRules(commands, family, table);
  if (await isRestRefused(commands, table, family)) await changeRefusal(commands, family, 'delete', table);
}

async function removeDivertingRules(commands: Commands, family: IpFamily, table: number): Promise<void> {
  for (let rules = await queryRules(commands, family); ; rules = await queryRules(commands, family)) {
    const at = rules.findIndex((rule) => isDiverting(rule) && rule.mark === table);
    const diverting = rules[at];
    if (diverting === undefined) return;

    const suppressing = rules.slice(0, at).findLast((rule) => isSuppressing(rule) || isDiverting(rule));
    if (suppressing !== undefined && isSuppressing(suppressing)) {
      await changeRule(commands, family, 'delete', suppressWords(), suppressing.priority);
    }
    await changeRule(commands, family, 'delete', divertWords(table), diverting.priority);
  }
}

/**
 * Makes a table refuse packets that match none of its routes: the route disappears when the daemon dies, and the
 * traffic of the tunnel must not leave in clear. A host that does not support this gets a warning.
 */
async function refuseRest(commands: Commands, family: IpFamily, table: number): Promise<void> {
  try {
    if (!(await isRestRefused(commands, table, family))) await changeRefusal(commands, family, 'add', table);
  } catch (error) {
    if (!isCommandError(error)) throw error;
    commands.warn(`${error.message}: should the daemon die, traffic leaves beside the tunnel`);
  }
}

async function changeRefusal(
  commands: Commands,
  family: IpFamily,
  verb: 'add' | 'delete',
  table: number,
): Promise<void> {
  const route = ['unreachable', 'default', 'metric', String(LAST_METRIC), 'table', String(table)];
  await commands.run(['ip', `-${family}`, 'route', verb, ...route]);
}

/** @returns Whether any tunnel diverts the traffic of this family. */
export async function isTrafficDiverted(commands: Commands, family: IpFamily): Promise<boolean> {
  return (await queryRules(commands, family)).some(isDiverting);
}

function isDiverting({ isInverted, mark, table, isForEverySource }: PolicyRule): boolean {
  return isInverted && mark !== 0 && mark === table && isForEverySource;
}

function isSuppressing({ isInverted, mark, table, suppressPrefixLength, isForEverySource }: PolicyRule): boolean {
  return !isInverted && mark === 0 && table === MAIN_TABLE && suppressPrefixLength === 0 && isForEverySource;
}

function isBypass(rule: PolicyRule, mark: number): boolean {
  return !rule.isInverted && rule.mark === mark && rule.table === MAIN_TABLE && rule.isForEverySource;
}

function divertWords(table: number): string[] {
  return ['not', 'fwmark', String(table), 'table', String(table)];
}

function suppressWords(): string[] {
  return ['table', 'main', 'suppress_prefixlength', '0'];
}

function bypassWords(mark: number): string[] {
  return ['fwmark', String(mark), 'table', 'main'];
}

async function changeRule(
  commands: Commands,
  family: IpFamily,
  verb: 'add' | 'delete',
  words: readonly string[],
  priority?: number,
): Promise<void> {
  const which = priority === undefined ? [] : ['priority', String(priority)];
  await commands.run(['ip', `-${family}`, 'rule', verb, ...which, ...words]);
}
