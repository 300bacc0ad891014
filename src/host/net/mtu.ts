import { MESSAGE_OVERHEAD_BYTES } from '../../core/constants.js';
import type { Commands } from './commands.js';
import { queryDefaultWay, queryMtu, queryWays, type Way } from './ip-query.js';

/** What Ethernet carries, for a host that has no route yet. */
const ETHERNET_MTU_BYTES = 1_500;
/** The longest IP packet; the loopback interface claims one byte more. */
const MAX_PACKET_BYTES = 65_535;

/**
 * Finds the MTU for a tunnel: what the narrowest way to an endpoint carries, less what a message adds to a packet.
 *
 * Without endpoints the default route counts, and without that one Ethernet.
 *
 * @param endpoints Addresses of the peers, without ports and zones.
 * @param mark Firewall mark of the tunnel's own datagrams; 0: none.
 * @returns Bytes.
 */
export async function detectMtu(commands: Commands, endpoints: readonly string[], mark: number): Promise<number> {
  const ways = await queryWays(commands, [...new Set(endpoints)], mark);
  const mtus = await mtusOf(commands, ways);
  if (mtus.length === 0) mtus.push(...(await mtusOf(commands, [await queryDefaultWay(commands)])));
  if (mtus.length === 0) mtus.push(ETHERNET_MTU_BYTES);
  return Math.min(MAX_PACKET_BYTES, ...mtus) - MESSAGE_OVERHEAD_BYTES;
}

/** @returns The different MTUs: of the route if it has one, else of the link. */
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
