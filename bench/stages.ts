/** Costs of each stage of the data path, measured by a process of its own, in a network namespace of its own. */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { run } from '../test/lab/program.js';
import type { StageFigures } from './figures.js';
import { formatNumber } from './format.js';
import { mean } from './statistics.js';

export type StageCosts = Omit<StageFigures, 'run'>;

const PROGRAM = fileURLToPath(new URL('stages/main.js', import.meta.url));
const TIMEOUT_MS = 180_000;

/**
 * Measures all stages in one process; and the AEAD stage in two independent processes, each on a core: the capacity of
 * two cores, which may be less than twice that of one.
 *
 * @param words `--brief`: a few rounds, to see that it works.
 */
export async function measureStages(words: readonly string[] = []): Promise<StageCosts> {
  const alone: StageCosts = JSON.parse(await runStages([], words));
  const beside = await Promise.all(
    ['0', '1'].map(async (core): Promise<StageCosts> => JSON.parse(await runStages([], [...words, '--aead'], core))),
  );
  return { ...alone, costs: { ...alone.costs, ...meanCosts(beside) } };
}

/** @returns Bytes of heap that a packet costs on its way through one end and into the other. */
export async function measureHeap(): Promise<number> {
  return JSON.parse(await runStages(['--expose-gc'], ['--heap'])).bytesPerPacket;
}

export function tabulateStages({ packetBytes, costs }: StageCosts): string[][] {
  const lines = Object.entries(costs).map(([stage, list]) => [stage, ...list.map((cost) => formatNumber(cost))]);
  return [['ns per packet', ...packetBytes.map((bytes) => `${formatNumber(bytes)} bytes`)], ...lines];
}

function meanCosts(list: readonly StageCosts[]): StageFigures['costs'] {
  const stages = Object.keys(list[0]?.costs ?? {});
  const ofStage = (stage: string): number[] =>
    (list[0]?.packetBytes ?? []).map((_, size) => mean(list.map(({ costs }) => costs[stage]?.[size] ?? Number.NaN)));
  return Object.fromEntries(stages.map((stage) => [stage, ofStage(stage)]));
}

/** @param core The only one to run on; default: any. */
async function runStages(flags: readonly string[], words: readonly string[], core?: string): Promise<string> {
  const command = ['--net', process.execPath, ...flags, PROGRAM, ...words];
  if (core === undefined || cpus().length === 1) return await run('unshare', command, { timeoutMs: TIMEOUT_MS });
  return await run('taskset', ['-c', core, 'unshare', ...command], { timeoutMs: TIMEOUT_MS });
}
