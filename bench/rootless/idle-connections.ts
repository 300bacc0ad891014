import { setTimeout as pause } from 'node:timers/promises';
import type { Program } from '../../test/lab/program.js';
import { type Contender, LIBRARY } from '../contender.js';
import { residentMegabytes } from '../load/process-figures.js';
import type { Goal, Measure } from '../measure.js';
import { FAR_ADDRESS, FarPort, rootlessPair, startNode, startProxy, wayOf } from './rootless-pair.js';

const MARGIN_MS = 120_000;
/** Share of connections opened before the first look: V8's young generation has grown to its size by then, once for all. */
const FIRST_SHARE = 0.3;

/** Memory of connections that nobody uses: in the library, and in a proxy, which has a socket of the system beside each. */
export const idleConnections: readonly Measure[] = [
  measure('rootless-idle', 'RSS per idle connection', { atMost: 3 }, ({ title }) => title === LIBRARY),
  measure(
    'proxy-idle',
    'RSS per idle connection with a socket of the system',
    { atMost: 8 },
    ({ kind }) => kind === 'proxy' || kind === 'gvisor',
  ),
];

function measure(id: string, title: string, goal: Goal, suits: (contender: Contender) => boolean): Measure {
  return {
    id,
    quantities: [{ id, title, unit: 'KB', digits: 2, isMoreBetter: false, goal }],
    per: 'run',
    suits,
    async take(site, { idleConnections: count, giveBackSeconds }) {
      const pair = await rootlessPair(site);
      const proxy = pair.contender.title === LIBRARY ? undefined : await startProxy(pair);
      const few = Math.ceil(count * FIRST_SHARE);
      const words = ['hold', FAR_ADDRESS, ...[FarPort.Idle, few, count].map(String)];
      const client = startNode(pair, wayOf(pair), words, { isInteractive: true });
      try {
        const measured = proxy ?? client;
        const before = await settledMegabytes(client, measured, few, giveBackSeconds);
        client.write('\n');
        const after = await settledMegabytes(client, measured, count, giveBackSeconds);
        client.write('\n');
        if ((await client.exited) !== 0) throw new Error(`connections were lost: ${client.stderr}`);
        return { [id]: ((after - before) * 1_000) / (count - few) };
      } finally {
        await client.stop();
        await proxy?.stop();
      }
    },
  };
}

async function settledMegabytes(client: Program, measured: Program, held: number, seconds: number): Promise<number> {
  await client.says(RegExp(`^holding ${held}$`, 'm'), MARGIN_MS);
  await pause(seconds * 1_000);
  return residentMegabytes(measured);
}
