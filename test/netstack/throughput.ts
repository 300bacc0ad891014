/** How fast one connection is over a grid of simulated links: the page docs/netstack-throughput.md, and its numbers. */
import { run } from './transfer-run.js';

const LINK_BITS = 100e6;
const QUEUE_BYTES = 250_000;
const TRANSFER_BYTES = 4_000_000;
const SEEDS = [1, 2, 3];

const ROUND_TRIPS_MS = [2, 20, 100, 300];
const LOSSES = [0, 0.001, 0.01, 0.05];
const BUFFERS = [
  [64 * 1024, '64 KiB'],
  [512 * 1024, '512 KiB'],
  [4 * 1024 * 1024, '4 MiB'],
] as const;

const INTRODUCTION = `# Throughput of the TCP stack over simulated links

One connection of the stack sends ${TRANSFER_BYTES / 1e6} MB to another one over a link of ${LINK_BITS / 1e6} Mbit/s that has a queue of ${QUEUE_BYTES / 1e3} kB, on virtual time. Each number is
the median of ${SEEDS.length} seeds in Mbit/s, from the SYN to the last FIN, so a long round trip shows the cost of slow start too.
The page is written by \`node scripts/netstack-throughput.mjs\`; a test compares it with what the stack does now.
`;

/** Returns the whole page. */
export function throughputPage(): string {
  const tables = BUFFERS.map(([bytes, name]) => `## With a send buffer of ${name}\n\n${table(bytes)}`);
  return `${[INTRODUCTION, ...tables].join('\n')}`;
}

function table(bufferBytes: number): string {
  const head = ['round trip', ...LOSSES.map((loss) => (loss === 0 ? 'no loss' : `${formatPercent(loss)} loss`))];
  const rows = ROUND_TRIPS_MS.map((ms) => [
    `${ms} ms`,
    ...LOSSES.map((loss) => formatRate(medianRate(ms, loss, bufferBytes))),
  ]);
  const rule = head.map((_, i) => (i === 0 ? '---' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** @returns Mbit/s. */
function medianRate(roundTripMs: number, lossRate: number, bufferBytes: number): number {
  const conditions = { delayMs: roundTripMs / 2, lossRate, rateBits: LINK_BITS, queueBytes: QUEUE_BYTES };
  const rates = SEEDS.map((seed) => {
    const { ms } = run(seed, conditions, { bytes: TRANSFER_BYTES, sendBuffer: bufferBytes }, { bytes: 0 });
    return (TRANSFER_BYTES * 8) / ms / 1_000;
  });
  return rates.sort((a, b) => a - b)[SEEDS.length >> 1]!;
}

function formatPercent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}

/** Two digits: a change of less says nothing. */
function formatRate(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}
