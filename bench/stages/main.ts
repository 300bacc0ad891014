/**
 * Costs of the data path, taken apart. Wants a network namespace of its own; prints a line of JSON.
 *
 *     node main.js [--brief]                  nanoseconds per packet of every stage
 *     node main.js [--brief] --aead           the same of the AEAD stage alone, for two processes side by side
 *     node --expose-gc main.js --heap         bytes of heap per packet
 */
import { execFileSync } from 'node:child_process';

import { timeAeadStages, timeCoreStages } from './core-stages.js';
import { heapBytesPerPacket } from './heap.js';
import { timeSocketStages, timeTunStages } from './host-stages.js';
import { StageClock } from './stage-clock.js';

const ROUNDS = process.argv.includes('--brief') ? 5 : 400;
const SIZES = [1_420, 100];
/** Header and tag of a transport data message. */
const OVERHEAD_BYTES = 32;

type Timer = (clock: StageClock, packetBytes: number) => void;

const ALL: readonly Timer[] = [
  (clock, packetBytes) => timeCoreStages(clock, packetBytes, ROUNDS),
  (clock, packetBytes) => timeAeadStages(clock, packetBytes, ROUNDS, { threads: 2, suffix: 'two threads' }),
  (clock, packetBytes) => timeTunStages(clock, packetBytes, ROUNDS),
  (clock, packetBytes) => timeSocketStages(clock, packetBytes + OVERHEAD_BYTES, ROUNDS),
];
const AEAD: readonly Timer[] = [
  (clock, packetBytes) => timeAeadStages(clock, packetBytes, ROUNDS, { threads: 1, suffix: 'beside another' }),
];

execFileSync('ip', ['link', 'set', 'lo', 'up']);
process.stdout.write(`${JSON.stringify(measure())}\n`, () => process.exit(0));

function measure() {
  if (process.argv.includes('--heap')) return { bytesPerPacket: heapBytesPerPacket() };
  return timeStages(process.argv.includes('--aead') ? AEAD : ALL);
}

function timeStages(timers: readonly Timer[]) {
  const columns = SIZES.map((packetBytes) => {
    const medians = timers.map((timer) => {
      const clock = new StageClock();
      timer(clock, packetBytes);
      return [...clock.medians];
    });
    return new Map(medians.flat());
  });
  const names = [...columns[0]!.keys()];
  const costs = names.map((name) => [name, columns.map((column) => Number(column.get(name)!.toPrecision(4)))]);
  return { packetBytes: SIZES, costs: Object.fromEntries(costs) };
}
