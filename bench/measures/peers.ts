import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { run } from '../../test/lab/program.js';
import type { Wireguard } from '../../test/lab/wireguard.js';
import { tcp } from '../load/iperf.js';
import { roundTrips } from '../load/ping.js';
import { residentMegabytes } from '../load/process-figures.js';
import type { Measure, Readings } from '../measure.js';
import { reach } from '../site.js';
import { median } from '../statistics.js';

const GETS = 5;
const PROBE_INTERVAL_SECONDS = 0.001;
const PROBES = 2_500;
const KEY_BYTES = 32;

/** What it costs to have many peers that say nothing: in throughput, in configuring and asking, in memory. */
export const idlePeers: Measure = {
  id: 'peers',
  quantities: [
    { id: 'peers-few', title: 'TCP with 1 peer configured', unit: 'Gbit/s', digits: 2 },
    { id: 'peers-some', title: 'TCP with 100 peers configured', unit: 'Gbit/s', digits: 2 },
    { id: 'peers-many', title: 'TCP with 10,000 peers configured', unit: 'Gbit/s', digits: 2 },
    {
      id: 'peers-kept',
      title: 'kept with 10,000 peers, of that with 1',
      unit: '%',
      digits: 0,
      goal: { atLeast: 95 },
    },
    {
      id: 'peers-set',
      title: 'wg addconf of 10,000 peers',
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 1_000 },
    },
    {
      id: 'peers-get',
      title: 'wg show dump of 10,000 peers',
      unit: 'ms',
      digits: 0,
      isMoreBetter: false,
      goal: { atMost: 1_000 },
    },
    {
      id: 'peers-stop',
      title: 'longest stop of traffic meanwhile',
      unit: 'ms',
      digits: 1,
      isMoreBetter: false,
      goal: { atMost: 50 },
    },
    {
      id: 'peers-memory',
      title: 'RSS per idle peer',
      unit: 'KB',
      digits: 2,
      isMoreBetter: false,
      goal: { atMost: 3 },
    },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds, peerCounts }) {
    const pair = await reach(await site.openPair());
    const { left, right, rightAddress, daemons, wireguards } = pair;
    const crowded = wireguards[1]!;
    const daemon = daemons[1]!;
    const throughput = async (): Promise<number> => await tcp(left, right, rightAddress[4], { seconds });
    await throughput(); // the memory that traffic needs is no matter of the peers

    const readings: Record<string, number> = {};
    let peers = 1;
    let setMs = 0;
    const before = residentMegabytes(daemon);
    for (const [index, count] of peerCounts.entries()) {
      setMs = await addPeers(crowded, peers, count);
      peers = count;
      readings[nameOf(index, peerCounts.length)] = await throughput();
    }
    readings['peers-memory'] = ((residentMegabytes(daemon) - before) * 1_000) / peers;
    readings['peers-kept'] = (100 * readings['peers-many']!) / readings['peers-few']!;
    readings['peers-set'] = setMs;
    return { ...readings, ...(await askMeanwhile(crowded, left, rightAddress[4])) };
  },
};

/** The first count is the few, the last the many. */
function nameOf(index: number, count: number): string {
  if (index === 0) return 'peers-few';
  return index === count - 1 ? 'peers-many' : 'peers-some';
}

/** Adds peers until there are `count`. @returns Milliseconds that the one `wg addconf` took. */
async function addPeers(wireguard: Wireguard, present: number, count: number): Promise<number> {
  if (count <= present) return 0;
  const peers: string[] = [];
  for (let i = present; i < count; i++) {
    const key = randomBytes(KEY_BYTES).toString('base64');
    peers.push(`[Peer]\nPublicKey = ${key}\nAllowedIPs = 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}/32\n`);
  }
  const path = join(wireguard.lab.folder, `${wireguard.name}-peers`);
  writeFileSync(path, peers.join(''));
  const startMs = performance.now();
  await run('wg', ['addconf', wireguard.name, path]);
  return performance.now() - startMs;
}

/** Asks for the state of all peers while echo requests go to and fro once a millisecond. */
async function askMeanwhile(wireguard: Wireguard, from: Wireguard['host'], address: string): Promise<Readings> {
  const probing = roundTrips(from, address, { count: PROBES, intervalSeconds: PROBE_INTERVAL_SECONDS });
  const times: number[] = [];
  for (let i = 0; i < GETS; i++) {
    await pause(100);
    const startMs = performance.now();
    await run('wg', ['show', wireguard.name, 'dump']);
    times.push(performance.now() - startMs);
  }
  return { 'peers-get': median(times), 'peers-stop': Math.max(...(await probing)) };
}
