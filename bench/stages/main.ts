/** Nanoseconds per packet of every stage, one by one. Wants a network namespace of its own: `npm run bench -- --stages`. */
import { execFileSync } from 'node:child_process';

import { formatText } from '../table.js';
import { timeCoreStages } from './core-stages.js';
import { timeSocketStages, timeTunStages } from './host-stages.js';
import { StageClock } from './stage-clock.js';

const ROUNDS = process.argv.includes('--brief') ? 5 : 400;
const SIZES = [1_420, 100];
/** Header and tag of a transport data message. */
const OVERHEAD_BYTES = 32;

execFileSync('ip', ['link', 'set', 'lo', 'up']);
const columns = SIZES.map((packetBytes) => {
  const clocks = [new StageClock(), new StageClock(), new StageClock()] as const;
  timeCoreStages(clocks[0], packetBytes, ROUNDS);
  timeTunStages(clocks[1], packetBytes, ROUNDS);
  timeSocketStages(clocks[2], packetBytes + OVERHEAD_BYTES, ROUNDS);
  return new Map(clocks.flatMap((clock) => [...clock.medians]));
});

const head = ['ns per packet', ...SIZES.map((bytes) => `${bytes} bytes`)];
const lines = [...columns[0]!.keys()].map((stage) => [
  stage,
  ...columns.map((column) => (column.get(stage) ?? Number.NaN).toFixed(0)),
]);
process.stdout.write(formatText([head, ...lines]));
process.exit(0);
