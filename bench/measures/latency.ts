import { CABLE, WIREGUARD_GO } from '../contender.js';
import { tcp } from '../load/iperf.js';
import { roundTrips } from '../load/ping.js';
import type { Measure } from '../measure.js';
import { median } from '../statistics.js';

const INTERVAL_SECONDS = 0.02;
const WARM_UP_SECONDS = 1;

/**
 * The time of an echo request through a tunnel that has nothing else to do.
 *
 * It has carried something before, as tunnels have: what compiles code while it runs has done so.
 */
export const pingIdle: Measure = {
  id: 'ping-idle',
  quantities: [
    {
      id: 'ping-idle',
      title: 'ping, tunnel idle, median',
      unit: 'µs',
      digits: 0,
      isMoreBetter: false,
      goal: { than: CABLE, by: 'difference', atMost: 150 },
    },
  ],
  suits: () => true,
  async take(site, { pings }) {
    const { left, right, rightAddress } = await site.pair();
    await tcp(left, right, rightAddress[4], { seconds: WARM_UP_SECONDS });
    const times = await roundTrips(left, rightAddress[4], { count: pings, intervalSeconds: INTERVAL_SECONDS });
    return { 'ping-idle': 1_000 * median(times) };
  },
};

/** The same beside a TCP stream that takes all there is. */
export const pingLoaded: Measure = {
  id: 'ping-loaded',
  quantities: [
    {
      id: 'ping-loaded',
      title: 'ping under full TCP load, median',
      unit: 'µs',
      digits: 0,
      isMoreBetter: false,
      goal: { than: WIREGUARD_GO, atMost: 1 },
    },
  ],
  suits: () => true,
  async take(site, { seconds }) {
    const { left, right, rightAddress } = await site.pair();
    const count = Math.max(5, Math.floor((seconds - 0.2) / INTERVAL_SECONDS));
    const [times] = await Promise.all([
      roundTrips(left, rightAddress[4], { count, intervalSeconds: INTERVAL_SECONDS }),
      tcp(left, right, rightAddress[4], { seconds }),
    ]);
    return { 'ping-loaded': 1_000 * median(times) };
  },
};
