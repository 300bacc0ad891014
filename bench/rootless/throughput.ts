import type { Program, RunOptions } from '../../test/lab/program.js';
import { GVISOR, LIBRARY, PROXY } from '../contender.js';
import { processorSeconds } from '../load/process-figures.js';
import type { Goal, Measure, Quantity } from '../measure.js';
import { FarPort, type RootlessPair, rootlessPair, startClient } from './rootless-pair.js';

/** Whether the program sends to the kernel's TCP, or receives from it. */
export type Direction = 'from' | 'to';

const PORTS = { from: FarPort.Sink, to: FarPort.Source } as const;
const MARGIN_MS = 60_000;

interface Variant {
  readonly id: string;
  readonly title: string;
  readonly direction: Direction;
  readonly goal: Goal;
  /** Goal of the processor time at the program's end. */
  readonly nearGoal?: Goal;
  readonly hasAddon: boolean;
}

/** One stream between the program and the kernel's TCP behind wiretyped: throughput, and the processor time of both ends. */
export const throughputMeasures: readonly Measure[] = [
  measure({
    id: 'rootless-from',
    title: 'TCP from the program',
    direction: 'from',
    goal: { atLeast: 1.5 },
    nearGoal: { than: GVISOR, atMost: 0.25 },
    hasAddon: true,
  }),
  measure({
    id: 'rootless-to',
    title: 'TCP to the program',
    direction: 'to',
    goal: { atLeast: 1.5 },
    nearGoal: { than: GVISOR, atMost: 0.33 },
    hasAddon: true,
  }),
  measure({
    id: 'plain-from',
    title: 'TCP from the program, without addon',
    direction: 'from',
    goal: { atLeast: 0.4 },
    hasAddon: false,
  }),
  measure({
    id: 'plain-to',
    title: 'TCP to the program, without addon',
    direction: 'to',
    goal: { atLeast: 0.4 },
    hasAddon: false,
  }),
];

function measure({ id, title, direction, goal, nearGoal, hasAddon }: Variant): Measure {
  const processorTime: Partial<Quantity> & { unit: string } = {
    unit: 'CPU s per Gbit',
    digits: 2,
    isMoreBetter: false,
  };
  const options: RunOptions = hasAddon ? {} : { env: { WIRETYPE_NO_ADDON: '1' } };
  return {
    id,
    quantities: [
      { id, title, unit: 'Gbit/s', digits: 2, goal },
      { ...processorTime, id: `${id}-near`, title: `${title}: its end`, ...(nearGoal && { goal: nearGoal }) },
      { ...processorTime, id: `${id}-far`, title: `${title}: the other end` },
    ],
    suits: (contender) => (hasAddon ? contender.title !== PROXY : contender.title === LIBRARY),
    async take(site, { seconds }) {
      const { gigabits, duration, near, far } = await move(await rootlessPair(site), direction, seconds, options);
      return { [id]: gigabits / duration, [`${id}-near`]: near / gigabits, [`${id}-far`]: far / gigabits };
    },
  };
}

async function move(pair: RootlessPair, direction: Direction, seconds: number, options: RunOptions): Promise<Transfer> {
  const { client, nearPrograms } = startClient(pair, direction, PORTS[direction], seconds, options);
  try {
    await client.says(/^begin$/m);
    const before = { near: processorTimeOf(nearPrograms), far: processorTimeOf(pair.farPrograms) };
    const { gigabits, duration } = await endOf(client, seconds);
    return {
      gigabits,
      duration,
      near: processorTimeOf(nearPrograms) - before.near,
      far: processorTimeOf(pair.farPrograms) - before.far,
    };
  } finally {
    await client.stop();
  }
}

interface Transfer {
  readonly gigabits: number;
  readonly duration: number;
  /** Processor seconds. */
  readonly near: number;
  readonly far: number;
}

/** Waits for the end of a transfer of the load programs. */
export async function endOf(client: Program, seconds: number): Promise<{ gigabits: number; duration: number }> {
  await client.says(/^end .*$/m, seconds * 1_000 + MARGIN_MS);
  const [, bytes, duration] = /^end (\d+) ([\d.]+)$/m.exec(client.stdout) ?? [];
  if (!(Number(bytes) > 0)) throw new Error(`nothing was moved: ${client.stdout}${client.stderr}`);
  return { gigabits: (Number(bytes) * 8) / 1e9, duration: Number(duration) };
}

/** Processor seconds of some programs together. */
export function processorTimeOf(programs: readonly Program[]): number {
  return programs.reduce((sum, program) => sum + processorSeconds(program), 0);
}
