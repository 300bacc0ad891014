import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { run } from '../../test/lab/program.js';
import type { Wireguard } from '../../test/lab/wireguard.js';
import { longestStop } from '../load/ping.js';
import { residentMegabytes } from '../load/process-figures.js';
import type { Measure, Readings } from '../measure.js';
import { type Pair, reach } from '../site.js';
import { median } from '../statistics.js';

const GETS = 5;
const MAX_PROBE_SECONDS = 2.5;
const KEY_BYTES = 32;

/** The cost of many silent peers: in configuring and asking, and for the traffic meanwhile. */
export const idlePeers: Measure = {
  id: 'peers',
  quantities: [
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
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { idlePeers: count, seconds }) {
    const pair = await reach(await site.openPair());
    const crowded = pair.wireguards[1]!;
    const setMs = await addIdlePeers(crowded, count);
    return { 'peers-set': setMs, ...(await askMeanwhile(pair, Math.min(MAX_PROBE_SECONDS, 5 * seconds))) };
  },
};

/** The memory of peers that say nothing, of a daemon that carries nothing: what traffic needs is no matter of theirs. */
export const peerMemory: Measure = {
  id: 'peer-memory',
  quantities: [
    {
      id: 'peer-memory',
      title: 'RSS per idle peer',
      unit: 'KB',
      digits: 2,
      isMoreBetter: false,
      goal: { atMost: 3 },
    },
  ],
  per: 'run',
  isLong: true,
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { idlePeers: count, giveBackSeconds }) {
    const { wireguards, daemons } = await site.openPair();
    const before = residentMegabytes(daemons[1]!);
    await addIdlePeers(wireguards[1]!, count);
    await pause(giveBackSeconds * 1_000);
    return { 'peer-memory': ((residentMegabytes(daemons[1]!) - before) * 1_000) / count };
  },
};

/** Adds peers that nobody is behind. @returns Milliseconds that the one `wg addconf` took. */
export async function addIdlePeers(wireguard: Wireguard, count: number): Promise<number> {
  const peers: string[] = [];
  for (let i = 0; i < count; i++) {
    const key = randomBytes(KEY_BYTES).toString('base64');
    peers.push(`[Peer]\nPublicKey = ${key}\nAllowedIPs = 10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32\n`);
  }
  const path = join(wireguard.lab.folder, `${wireguard.name}-peers`);
  writeFileSync(path, peers.join(''));
  const startMs = performance.now();
  await run('wg', ['addconf', wireguard.name, path]);
  return performance.now() - startMs;
}

/** Asks for the state of all peers while echo requests go to and fro once a millisecond. */
async function askMeanwhile({ left, rightAddress, wireguards }: Pair, seconds: number): Promise<Readings> {
  const probing = longestStop(left, rightAddress[4], seconds);
  const times: number[] = [];
  for (let i = 0; i < GETS; i++) {
    await pause(100);
    const startMs = performance.now();
    await run('wg', ['show', wireguards[1]!.name, 'dump']);
    times.push(performance.now() - startMs);
  }
  return { 'peers-get': median(times), 'peers-stop': await probing };
}
