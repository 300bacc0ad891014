import { MESSAGE_OVERHEAD_BYTES } from '../../core/constants.js';
import type { Commands } from './commands.js';
import { queryDefaultWay, queryMtu, queryWayBeside, queryWays, type Way } from './ip-query.js';

/** The MTU of Ethernet, for a host that has no route. */
const ETHERNET_MTU_BYTES = 1_500;

/**
 * Finds the MTU for a tunnel: the smallest MTU of the ways to the endpoints, less the overhead of a message.
 *
 * Without endpoints the default route counts, and without a default route the MTU of Ethernet.
 *
 * @param endpoints Addresses of the peers, without ports and zones.
 * @param mark Firewall mark of the tunnel's own datagrams; 0: none.
 * @param name The tunnel: ways into the tunnel itself do not count.
 * @returns Bytes.
 */
export async function detectMtu(
  commands: Commands,
  endpoints: readonly string[],
  mark: number,
  name: string,
): Promise<number> {
  const ways: (Way | undefined)[] = [];
  for (const way of await queryWays(commands, [...new Set(endpoints)], mark)) {
    ways.push(way.device === name ? await queryWayBeside(commands, way.destination, name) : way);
  }
  const mtus = await mtusOf(commands, ways);
  if (mtus.length === 0) mtus.push(...(await mtusOf(commands, [await queryDefaultWay(commands)])));
  if (mtus.length === 0) mtus.push(ETHERNET_MTU_BYTES);
  return Math.min(...mtus) - MESSAGE_OVERHEAD_BYTES;
}

/** @returns The distinct MTUs: the MTU of the route if it has one, else of the link. */
async function mtusOf(commands: Commands, ways: readonly (Way | undefined)[]): Promise<number[]> {
  const mtus = new Set<number>();
  const links = new Set<string>();
  for (const way of ways) {
    if (way?.mtu !== undefined) mtus.add(way.mtu);
    else if (way !== undefined) links.add(way.device);
  }
  for (const link of links) {
    const mtu = await queryMtu(commands, link);
    if (mtu !== undefined) mtus.add(mtu);
  }
  return [...mtus];
}
