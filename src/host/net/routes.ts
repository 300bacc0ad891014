import { WireGuardError } from '../../core/errors.js';
import type { IpFamily } from '../../wire/endpoint.js';
import { ProgramFailure } from './command-error.js';
import { type Commands, requireSuccess } from './commands.js';
import { type InterfaceRoute, MAIN_TABLE, queryRoutes } from './ip-query.js';
import { coverTest, formatPrefix, type Prefix } from './prefix.js';

const FAMILIES: readonly IpFamily[] = [4, 6];

/** `ip route` of a refused route ends with this status, `ip -batch` with 1. */
const BATCH_STATUS = 2;

/** `ip -batch` prints the number of the line that failed. */
const FAILED_LINE = /Command failed [^:]*:([0-9]+)/;

/**
 * Sorts the most specific prefixes first, and prefixes of one length in descending order of their text.
 *
 * A wide route is therefore never added before its narrower exceptions.
 */
export function mostSpecificFirst(prefixes: readonly Prefix[]): Prefix[] {
  return [...prefixes].sort((a, b) => b.length - a.length || (a.address < b.address ? 1 : -1));
}

/**
 * Removes the prefixes that one of the routes already covers.
 *
 * An interface with the address 10.0.0.1/24 has a route for 10.0.0.2/32.
 */
export function uncovered(prefixes: readonly Prefix[], routes: readonly InterfaceRoute[]): Prefix[] {
  const tests = routes.filter(({ table }) => table === MAIN_TABLE).map(({ prefix }) => coverTest(prefix));
  return prefixes.filter((prefix) => !tests.some((covers) => covers(prefix)));
}

/** @returns The interface's routes of both families. */
export async function queryAllRoutes(commands: Commands, name: string): Promise<InterfaceRoute[]> {
  return [...(await queryRoutes(commands, name, 4)), ...(await queryRoutes(commands, name, 6))];
}

/**
 * Adds or removes routes into an interface, by one process per family for all routes.
 *
 * @param table Number or name; `undefined`: the main table.
 * @throws {WireGuardError} ERR_COMMAND_FAILED at the first route that is refused; the routes before it are done.
 */
export async function changeRoutes(
  commands: Commands,
  verb: 'add' | 'delete',
  name: string,
  prefixes: readonly Prefix[],
  table?: string,
): Promise<void> {
  for (const family of FAMILIES) {
    const ofFamily = prefixes.filter((prefix) => prefix.family === family);
    const lines = ofFamily.map((prefix) => routeWords(verb, name, prefix, table));
    if (lines.length > 0) await runBatch(commands, family, lines);
  }
}

function routeWords(verb: string, name: string, prefix: Prefix, table: string | undefined): string[] {
  // The kernel may have its own route to the same prefix, which must stay.
  const protocol = verb === 'delete' ? ['proto', 'boot'] : [];
  const inTable = table === undefined ? [] : ['table', table];
  return ['route', verb, formatPrefix(prefix), 'dev', name, ...protocol, ...inTable];
}

async function runBatch(commands: Commands, family: IpFamily, lines: readonly string[][]): Promise<void> {
  for (const words of lines) commands.echo(['ip', `-${family}`, ...words]);

  const text = lines.map((words) => `${words.join(' ')}\n`).join('');
  const result = await commands.ask(['ip', `-${family}`, '-batch', '-'], text);
  const failed = lines[Number(FAILED_LINE.exec(result.stderr)?.[1]) - 1];
  if (result.status === 0 || failed === undefined) return requireSuccess(['ip', '-batch', '-'], result);

  const cause = new ProgramFailure('ip', BATCH_STATUS);
  const reason = result.stderr.replace(FAILED_LINE, '').trim();
  throw new WireGuardError('ERR_COMMAND_FAILED', `ip -${family} ${failed.join(' ')}: ${reason}`, { cause });
}
