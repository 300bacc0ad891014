import { addAddresses } from '../../test/lab/lab.js';
import { PORT, RIGHT } from '../../test/lab/two-hosts.js';
import { Wireguard } from '../../test/lab/wireguard.js';
import { tcp } from '../load/iperf.js';
import type { Measure } from '../measure.js';
import { MTU } from '../site.js';

const BUSY_PEERS = 16;

/**
 * Sixteen peers that all send to one daemon, each from a daemon of its own.
 *
 * ```text
 *   left                                      right
 *   tunnel 1   10.77.1.2  ─ ─ ─ ─ ┐
 *   …                              ├ ─ ─ ─  10.77.1.1 … 10.77.16.1, one daemon
 *   tunnel 16  10.77.16.2  ─ ─ ─ ─┘
 * ```
 */
export const busyPeers: Measure = {
  id: 'busy-peers',
  quantities: [{ id: 'busy-peers', title: 'TCP of 16 peers to one', unit: 'Gbit/s', digits: 2 }],
  isLong: true,
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds }) {
    const { left, right } = await site.openPair();
    const hub = await Wireguard.create(site.lab, right, site.contender, PORT + 1);
    await hub.up([], MTU);
    const spokes: Promise<number>[] = [];
    for (let i = 1; i <= BUSY_PEERS; i++) await openSpoke(i);
    for (let i = 1; i <= BUSY_PEERS; i++) spokes.push(tcp(left, right, `10.77.${i}.1`, { seconds }));
    return { 'busy-peers': (await Promise.all(spokes)).reduce((sum, one) => sum + one, 0) };

    async function openSpoke(i: number): Promise<void> {
      const spoke = await Wireguard.create(site.lab, left, site.contender, PORT + 1 + i);
      const endpoint = `${RIGHT.outer4}:${PORT + 1}`;
      await spoke.setPeer({ publicKey: hub.publicKey, endpoint, allowedIps: `10.77.${i}.1/32` });
      await hub.setPeer({ publicKey: spoke.publicKey, allowedIps: `10.77.${i}.2/32` });
      await addAddresses([right, hub.name, `10.77.${i}.1/24`]);
      await spoke.up([`10.77.${i}.2/24`], MTU);
      await left.run('ping', ['-c', '1', '-W', '5', `10.77.${i}.1`]);
    }
  },
};
