/**
 * The effect of more cores: a model, fed with the measured costs of the stages.
 *
 * The loop does every stage but one by itself, one batch after the other. The AEAD stage is shared among threads, of which
 * the loop is one, and the loop waits for the last of them: Amdahl's law, plus what it costs to hand a batch over.
 */
import type { StageCosts } from './stages.js';

const CORES = [1, 2, 4, 8, 16];

export const WAY_IN = {
  serial: ['UDP receive', 'classify', 'admit', 'TUN write, merged, with forwarding'],
  parallel: 'open',
} as const;
export const WAY_OUT = { serial: ['TUN read, split', 'route', 'UDP send'], parallel: 'seal' } as const;

export type Way = typeof WAY_IN | typeof WAY_OUT;

/** Nanoseconds per packet. */
export interface WayCosts {
  readonly serial: number;
  readonly parallel: number;
  /** The cost of sharing the stage at all, with however many: what two threads need beyond half of two processes on the same cores. */
  readonly handOver: number;
}

/** @param size Which of the measured sizes of packet. @throws {TypeError} If a stage was not measured. */
export function costsOfWay({ costs }: StageCosts, { serial, parallel }: Way, size: number): WayCosts {
  const cost = (stage: string): number => {
    const value = costs[stage]?.[size];
    if (value === undefined) throw new TypeError(`the figures lack the stage "${stage}"`);
    return value;
  };
  const alone = cost(parallel);
  return {
    serial: serial.reduce((sum, stage) => sum + cost(stage), 0),
    parallel: alone,
    handOver: Math.max(cost(`${parallel}, two threads`) - cost(`${parallel}, beside another`) / 2, 0),
  };
}

/** @returns Nanoseconds that the loop needs for a packet. */
export function nanosecondsWith(threads: number, { serial, parallel, handOver }: WayCosts): number {
  return threads === 1 ? serial + parallel : serial + parallel / threads + handOver;
}

/** One line per number of cores, all of which share the AEAD stage, and one for what no number of cores exceeds. */
export function tabulateModel(stages: StageCosts, size = 0): string[][] {
  const ways = [costsOfWay(stages, WAY_IN, size), costsOfWay(stages, WAY_OUT, size)];
  const bytes = stages.packetBytes[size] ?? 0;
  const lines = [...CORES, Infinity].map((cores) => [
    cores === Infinity ? 'any number' : String(cores),
    ...ways.flatMap((way) => describeWay(nanosecondsWith(cores, way), nanosecondsWith(1, way), bytes)),
  ]);
  return [['cores', 'in, ns', 'in, Gbit/s', '× one', 'out, ns', 'out, Gbit/s', '× one'], ...lines];
}

function describeWay(nanoseconds: number, alone: number, bytes: number): string[] {
  return [nanoseconds.toFixed(0), ((bytes * 8) / nanoseconds).toFixed(1), (alone / nanoseconds).toFixed(2)];
}
