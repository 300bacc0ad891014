import { WIREGUARD_GO } from '../contender.js';
import { flood } from '../load/datagrams.js';
import type { Measure } from '../measure.js';
import { mean } from '../statistics.js';

/** A payload that fits into a tunnel of MTU 1,420 with room to spare. */
const FULL_BYTES = 1_370;
const SMALL_BYTES = 64;
const MAX_SECONDS = 1.5;
/** An offer is raised by this factor, from what arrives under flood on, until less arrives than before. */
const RAISE = 1.3;
const MAX_RAISES = 6;

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
    { id: 'udp-best', title: 'UDP of 1,370 bytes, at the best offer', unit: 'Gbit/s', digits: 2 },
    {
      id: 'udp-kept',
      title: 'kept under flood, of the best',
      unit: '%',
      digits: 0,
      goal: { atLeast: 80 },
    },
  ],
  suits: () => true,
  async take(site, settings) {
    const { left, right, rightAddress } = await site.pair();
    const seconds = Math.min(settings.seconds, MAX_SECONDS);
    const offer = async (perSecond: number): Promise<number> =>
      (await flood(left, right, rightAddress[4], { bytes: FULL_BYTES, perSecond, seconds })).arrivedPerSecond;

    const first = await offer(0);
    const { offered, arrived } = await bestOffer(offer, first);
    // Both once more: the best of several readings owes something to luck.
    const flooded = mean([first, await offer(0)]);
    const best = Math.max(flooded, mean([arrived, await offer(offered)]));
    const gigabits = (perSecond: number): number => (perSecond * FULL_BYTES * 8) / 1e9;
    return { 'udp-flood': gigabits(flooded), 'udp-best': gigabits(best), 'udp-kept': (100 * flooded) / best };
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

/** Looks for the offer, a second, of which the most arrives. */
async function bestOffer(
  offer: (perSecond: number) => Promise<number>,
  start: number,
): Promise<{ offered: number; arrived: number }> {
  let best = { offered: Math.ceil(start), arrived: await offer(Math.ceil(start)) };
  for (let raise = 1; raise <= MAX_RAISES; raise++) {
    const offered = Math.ceil(start * RAISE ** raise);
    const arrived = await offer(offered);
    if (arrived <= best.arrived) break;
    best = { offered, arrived };
  }
  return best;
}
