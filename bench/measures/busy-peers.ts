import { fileURLToPath } from 'node:url';

import { attempt } from '../../test/lab/program.js';
import { PORT, RIGHT } from '../../test/lab/two-hosts.js';
import type { Wireguard } from '../../test/lab/wireguard.js';
import { processorSeconds } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import type { Pair } from '../site.js';
import { addIdlePeers } from './peers.js';

const SENDERS = fileURLToPath(new URL('../load/senders.js', import.meta.url));
const RECEIVER_CORE = '0';
const SENDERS_CORE = '1';
const SOME_PEERS = 100;
const MARGIN_MS = 30_000;

/**
 * Sixteen flows of TCP packets to one daemon on one core; the peers are on the other, in one process. How much the daemon
 * delivers per second of its processor time: a second of the machine may be given to somebody else in part.
 *
 * ```text
 *   left, core 1                            right, core 0
 *   peer 1   10.77.1.2  ─ ─ ─ ─ ┐
 *   …                            ├ ─ ─ ─  one daemon ─▶ 10.78.0.1, which swallows everything
 *   peer 16  10.77.16.2  ─ ─ ─ ─┘         idle peers besides
 * ```
 */
export const busyPeers: Measure = {
  id: 'busy-peers',
  quantities: [
    { id: 'busy-peers-1', title: '16 flows of 1 peer, 1 configured', unit: 'Gbit per CPU second', digits: 2 },
    { id: 'busy-peers-100', title: '16 flows of 16 peers, 100 configured', unit: 'Gbit per CPU second', digits: 2 },
    {
      id: 'busy-peers-10000',
      title: '16 flows of 16 peers, 10,000 configured',
      unit: 'Gbit per CPU second',
      digits: 2,
      goal: { thanOwn: 'busy-peers-1', atLeast: 0.95 },
    },
  ],
  suits: ({ kind }) => kind === 'wireguard',
  async take(site, { seconds, busyPeers: senders, idlePeers }) {
    const pair = await site.openPair();
    const hub = pair.wireguards[1]!;
    // Only those are configured that are counted.
    await hub.set('peer', pair.wireguards[0]!.publicKey, 'remove');
    await pair.right.run('ip', ['route', 'add', 'blackhole', '10.78.0.0/16']);
    await attempt('taskset', ['-acp', RECEIVER_CORE, String(pair.daemons[1]!.pid)]);

    await deliver(pair, hub, 1, seconds); // lets the compiler settle
    const one = await deliver(pair, hub, 1, seconds);
    await addIdlePeers(hub, Math.max(SOME_PEERS - senders, 0));
    const some = await deliver(pair, hub, senders, seconds);
    await addIdlePeers(hub, Math.max(idlePeers - SOME_PEERS, 0));
    const many = await deliver(pair, hub, senders, seconds);
    return { 'busy-peers-1': one, 'busy-peers-100': some, 'busy-peers-10000': many };
  },
};

/** @returns Gbit of IP packets that the daemon wrote to its TUN, per second of its processor time. */
async function deliver({ left, daemons }: Pair, hub: Wireguard, peers: number, seconds: number): Promise<number> {
  const words = [SENDERS, hub.name, RIGHT.outer4, String(PORT), String(peers), String(seconds)];
  const sender = left.start('taskset', ['-c', SENDERS_CORE, process.execPath, ...words]);
  await sender.says(/sending/, MARGIN_MS);
  const before = { bytes: await deliveredBytes(hub), seconds: processorSeconds(daemons[1]!) };
  if ((await sender.exited) !== 0) throw new Error(sender.stderr);
  const bytes = (await deliveredBytes(hub)) - before.bytes;
  const used = processorSeconds(daemons[1]!) - before.seconds;
  if (!(bytes > 0)) throw new Error(`nothing was delivered of ${sender.stdout}`);
  return (bytes * 8) / 1e9 / Math.max(used, 0.01);
}

async function deliveredBytes({ host, name }: Wireguard): Promise<number> {
  return Number(await host.run('cat', [`/sys/class/net/${name}/statistics/rx_bytes`]));
}
