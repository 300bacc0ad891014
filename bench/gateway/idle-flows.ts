import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Host } from '../../test/lab/namespace.js';
import type { Program } from '../../test/lab/program.js';
import { residentMegabytes } from '../load/process-figures.js';
import type { Measure } from '../measure.js';
import { gatewaySite, SERVER, ServerPort } from './gateway-site.js';

const CLIENT = fileURLToPath(new URL('../load/rootless-client.js', import.meta.url));
const MARGIN_MS = 120_000;
/** A device may have 4,096 flows, so that there are several. */
const CLIENTS = 3;
/** Share of flows opened before the first look: V8's young generation has grown to its size by then, once for all. */
const FIRST_SHARE = 0.3;

/** Memory of flows that nobody uses, in whatever carries them. */
export const idleFlows: Measure = {
  id: 'gateway-idle',
  quantities: [
    { id: 'gateway-idle', title: 'RSS per idle flow', unit: 'KB', digits: 2, isMoreBetter: false, goal: { atMost: 8 } },
  ],
  per: 'run',
  suits: () => true,
  async take(site, { idleConnections, giveBackSeconds }) {
    const { client, carrier, addClient } = await gatewaySite(site);
    const hosts = [client];
    for (let i = 1; addClient !== undefined && i < CLIENTS; i++) hosts.push(await addClient(`idle-${i}`));
    const each = Math.floor(idleConnections / hosts.length);
    const few = Math.ceil(each * FIRST_SHARE);
    const holders = hosts.map((host) => startHolder(host, few, each));
    try {
      await settle(holders, few, giveBackSeconds);
      const before = residentMegabytes(carrier);
      for (const holder of holders) holder.write('\n');
      await settle(holders, each, giveBackSeconds);
      const after = residentMegabytes(carrier);
      for (const holder of holders) holder.write('\n');
      for (const holder of holders)
        if ((await holder.exited) !== 0) throw new Error(`connections were lost: ${holder.stderr}`);
      return { 'gateway-idle': ((after - before) * 1_000) / ((each - few) * hosts.length) };
    } finally {
      for (const holder of holders) await holder.stop();
    }
  },
};

function startHolder(host: Host, few: number, many: number): Program {
  const words = ['--expose-gc', CLIENT, 'system', 'hold', SERVER, ...[ServerPort.Idle, few, many].map(String)];
  return host.start(process.execPath, words, { isInteractive: true });
}

async function settle(holders: readonly Program[], held: number, seconds: number): Promise<void> {
  for (const holder of holders) await holder.says(RegExp(`^holding ${held}$`, 'm'), MARGIN_MS);
  await pause(seconds * 1_000);
}
