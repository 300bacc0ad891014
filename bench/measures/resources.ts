import { setTimeout as pause } from 'node:timers/promises';

import { CHECKOUT } from '../../test/lab/implementation.js';
import type { Host } from '../../test/lab/namespace.js';
import type { Program } from '../../test/lab/program.js';
import { run } from '../../test/lab/program.js';
import { SUBJECT } from '../contender.js';
import { tcp } from '../load/iperf.js';
import { MemoryWatch } from '../load/memory-watch.js';
import { contextSwitches } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import { reach } from '../site.js';
import { measureHeap } from '../stages.js';
import { median } from '../statistics.js';

const COLD_STARTS = 10;

/** Resident memory of the daemon, before any traffic and at its greatest under four streams. */
export const memory: Measure = {
  id: 'memory',
  quantities: [
    { id: 'rss-idle', title: 'RSS, idle', unit: 'MB', digits: 1, isMoreBetter: false, goal: { atMost: 110 } },
    { id: 'rss-loaded', title: 'RSS, full load', unit: 'MB', digits: 1, isMoreBetter: false, goal: { atMost: 180 } },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds }) {
    const { left, right, rightAddress, daemons } = await reach(await site.openPair());
    await pause(500);
    const watch = new MemoryWatch(daemons);
    await tcp(left, right, rightAddress[4], { seconds, streams: 4 });
    await tcp(left, right, rightAddress[4], { seconds, streams: 4, isReverse: true });
    const { start, greatest } = watch.stop();
    return { 'rss-idle': start, 'rss-loaded': greatest };
  },
};

/** Heap that a packet costs, which should be none. */
export const heap: Measure = {
  id: 'heap',
  quantities: [
    {
      id: 'heap',
      title: 'heap per packet, out of one end and into the other',
      unit: 'B',
      digits: 2,
      isMoreBetter: false,
      goal: { atMost: 4 },
    },
  ],
  per: 'run',
  suits: ({ title }) => title === SUBJECT,
  async take() {
    return { heap: await measureHeap() };
  },
};

/** Activity of a tunnel that nobody uses, which should be none. */
export const idle: Measure = {
  id: 'idle',
  quantities: [
    {
      id: 'idle-wakeups',
      title: 'wake-ups of an idle daemon, a minute',
      unit: '',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 0 },
    },
    {
      id: 'idle-packets',
      title: 'packets of an idle tunnel, a minute',
      unit: '',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 0 },
    },
  ],
  per: 'run',
  isLong: true,
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { settleSeconds, idleSeconds }) {
    const { left, daemons } = await reach(await site.openPair());
    await pause(settleSeconds * 1_000);
    const before = { switches: daemons.map(contextSwitches), packets: await packetsOn(left) };
    await pause(idleSeconds * 1_000);
    const wakeups = daemons.map((daemon: Program, i) => contextSwitches(daemon) - before.switches[i]!);
    const packets = (await packetsOn(left)) - before.packets;
    const perMinute = 60 / idleSeconds;
    return { 'idle-wakeups': Math.max(...wakeups) * perMinute, 'idle-packets': packets * perMinute };
  },
};

/** How long a person waits for a command that does nothing. */
export const coldStart: Measure = {
  id: 'cold-start',
  quantities: [
    {
      id: 'cold-start',
      title: 'wiretype --version',
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 120 },
    },
  ],
  suits: ({ title }) => title === SUBJECT,
  async take() {
    const times: number[] = [];
    for (let i = 0; i < COLD_STARTS; i++) {
      const startMs = performance.now();
      await run(`${CHECKOUT}bin/wiretype`, ['--version']);
      times.push(performance.now() - startMs);
    }
    return { 'cold-start': median(times) };
  },
};

/** Both directions. */
async function packetsOn(host: Host): Promise<number> {
  const folder = '/sys/class/net/eth0/statistics';
  const counters = await host.run('cat', [`${folder}/rx_packets`, `${folder}/tx_packets`]);
  return counters.split('\n').reduce((sum, line) => sum + Number(line), 0);
}
