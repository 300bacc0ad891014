import type { Host } from '../../test/lab/namespace.js';
import { GATEWAY_JS } from '../contender.js';
import type { Measure } from '../measure.js';
import { gatewaySite, SERVER } from './gateway-site.js';

const BYTES = 64;
/** A second. More than the goal, and not so much that the sender takes the processor from whatever carries it. */
const OFFER = 150_000;
const PORT = 5_301;
const MARGIN_MS = 30_000;

/** UDP packets of 64 bytes, each way: how many arrive of a steady offer. */
export const smallDatagrams: readonly Measure[] = [
  measure('gateway-udp-up', 'UDP packets of 64 bytes, up', false),
  measure('gateway-udp-down', 'UDP packets of 64 bytes, down', true),
];

function measure(id: string, title: string, isReverse: boolean): Measure {
  return {
    id,
    quantities: [{ id, title, unit: 'packets/s', digits: 0, goal: { atLeast: 100_000 } }],
    suits: ({ title: name }) => name !== GATEWAY_JS || !isReverse,
    async take(site, { seconds }) {
      const { client, server } = await gatewaySite(site);
      return { [id]: await packets(client, server, seconds, isReverse) };
    },
  };
}

/** @returns Packets that arrived, a second. */
async function packets(client: Host, server: Host, seconds: number, isReverse: boolean): Promise<number> {
  const listener = server.start('iperf3', ['-s', '-1', '-B', SERVER, '-p', String(PORT), '--forceflush']);
  try {
    await listener.says(/Server listening/);
    const words = ['-c', SERVER, '-p', String(PORT), '-u', '-l', String(BYTES), '-b', String(OFFER * BYTES * 8)];
    const time = ['-t', String(Math.max(1, Math.round(seconds))), '--json', ...(isReverse ? ['-R'] : [])];
    const { stdout, stderr } = await client.attempt('iperf3', [...words, ...time], {
      timeoutMs: seconds * 1_000 + MARGIN_MS,
    });
    const { end, error } = JSON.parse(stdout);
    if (end?.sum === undefined) throw new Error(`iperf3: ${error ?? stderr}`);
    return (end.sum.packets - end.sum.lost_packets) / end.sum.seconds;
  } finally {
    await listener.stop();
  }
}
