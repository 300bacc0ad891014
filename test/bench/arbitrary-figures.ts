import { beginFigures, type Figures } from '../../bench/figures.js';
import type { Quantity } from '../../bench/measure.js';
import type { Run } from '../../bench/run.js';
import type { StageCosts } from '../../bench/stages.js';

/** A run on a machine that nobody has. */
export function aRun(changes: Partial<Run> = {}): Run {
  return {
    date: '2026-01-02',
    commit: 'abc1234',
    command: 'npm run bench',
    machine: { processor: 'Abacus', cores: 2, memoryGigabytes: 8, kernel: '6.1', node: 'v20.0.0' },
    seconds: 3,
    contenders: { wiretype: '1', 'wireguard-go': '2', limit: 'limit.c' },
    ...changes,
  };
}

export function aQuantity(changes: Partial<Quantity> = {}): Quantity {
  return { id: 'tcp-1', title: 'TCP', unit: 'Gbit/s', digits: 2, ...changes };
}

/** Figures of one run, with these readings for each quantity. */
export function someFigures(
  quantities: readonly Quantity[],
  readings: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>,
  run = aRun(),
): Figures {
  const figures = beginFigures(run, quantities);
  for (const row of figures.rows)
    for (const [contender, list] of Object.entries(readings[row.id] ?? {})) row.readings[contender] = [...list];
  return figures;
}

/** 1,000 ns serial and 2,000 ns parallel on the way in, 500 and 1,000 on the way out; handing over costs 100 beyond half of what two cores do. */
export const STAGES: StageCosts = {
  packetBytes: [1_000],
  costs: {
    route: [100],
    seal: [1_000],
    classify: [150],
    open: [2_000],
    admit: [50],
    'seal, two threads': [700],
    'open, two threads': [1_200],
    'seal, beside another': [1_200],
    'open, beside another': [2_200],
    'TUN write, merged, with forwarding': [700],
    'TUN read, split': [300],
    'UDP send': [100],
    'UDP receive': [100],
  },
};
