import { MESSAGE_OVERHEAD_BYTES } from '../../core/constants.js';
import type { Commands } from './commands.js';
import { queryDefaultWay, queryMtu, queryWay } from './ip-query.js';

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
  const mtus: number[] = [];
  for (const endpoint of new Set(endpoints)) {
    const mtu = await mtuOf(commands, await queryWay(commands, endpoint, mark));
    if (mtu !== undefined) mtus.push(mtu);
  }
  if (mtus.length === 0) mtus.push((await mtuOf(commands, await queryDefaultWay(commands))) ?? ETHERNET_MTU_BYTES);
  return Math.min(MAX_PACKET_BYTES, ...mtus) - MESSAGE_OVERHEAD_BYTES;
}

async function mtuOf(
  commands: Commands,
  way: { mtu: number | undefined; device: string } | undefined,
): Promise<number | undefined> {
  return way === undefined ? undefined : (way.mtu ?? (await queryMtu(commands, way.device)));
}
