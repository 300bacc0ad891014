import { WIREGUARD_GO } from '../contender.js';
import { flood } from '../load/datagrams.js';
import type { Measure } from '../measure.js';

/** What fits into a tunnel of MTU 1,420 with room to spare. */
const FULL_BYTES = 1_370;
const SMALL_BYTES = 64;
/** Of what arrives under flood: offers among which the best goodput is sought. */
const OFFERS = [0.7, 1, 1.4];

/** UDP under overload: how much arrives, and how that compares with the most that could. */
export const udpFlood: Measure = {
  id: 'udp-flood',
  quantities: [
    {
      id: 'udp-flood',
      title: 'UDP flood of 1,370 bytes, delivered',
      unit: 'Gbit/s',
      digits: 2,
      goal: { than: WIREGUARD_GO, atLeast: 4 },
    },
    { id: 'udp-best', title: 'UDP of 1,370 bytes, best offer', unit: 'Gbit/s', digits: 2 },
    {
      id: 'udp-kept',
      title: 'kept under flood, of the best',
      unit: '%',
      digits: 0,
      goal: { atLeast: 80 },
    },
  ],
  suits: () => true,
  async take(site, { seconds }) {
    const { left, right, rightAddress } = await site.pair();
    const offer = async (perSecond: number): Promise<number> => {
      const options = { bytes: FULL_BYTES, perSecond, seconds: Math.min(seconds, 1.5) };
      return (await flood(left, right, rightAddress[4], options)).arrivedPerSecond;
    };
    const flooded = await offer(0);
    let best = flooded;
    for (const share of OFFERS) best = Math.max(best, await offer(Math.ceil(flooded * share)));
    const gigabits = (perSecond: number): number => (perSecond * FULL_BYTES * 8) / 1e9;
    return {
      'udp-flood': gigabits(flooded),
      'udp-best': gigabits(best),
      'udp-kept': (100 * flooded) / best,
    };
  },
};

/** How many packets a second get through when their size is no matter. */
export const udpSmall: Measure = {
  id: 'udp-small',
  quantities: [
    {
      id: 'udp-small',
      title: 'UDP flood of 64 bytes, delivered',
      unit: 'packets/s',
      digits: 0,
      goal: { than: WIREGUARD_GO, atLeast: 4 },
    },
  ],
  suits: () => true,
  async take(site, { seconds }) {
    const { left, right, rightAddress } = await site.pair();
    const options = { bytes: SMALL_BYTES, perSecond: 0, seconds: Math.min(seconds, 2) };
    return { 'udp-small': (await flood(left, right, rightAddress[4], options)).arrivedPerSecond };
  },
};
