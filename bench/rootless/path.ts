import { LIBRARY } from '../contender.js';
import type { Goal, Measure } from '../measure.js';
import { cubicRate, goodput, type PathConditions } from './simulated-path.js';
import type { Direction } from './throughput.js';

const CLEAN: PathConditions = { rateBits: 200e6, roundTripMs: 50, lossRate: 0 };
const LOSSY: PathConditions = { ...CLEAN, lossRate: 0.001 };
/** Without loss the transfer is shorter: a rate with losses is an average over many of them. */
const CLEAN_SHARE = 1 / 6;
const SEED = 20_261_126;
const NINETY_PERCENT: Goal = { atLeast: 90 };

/** A path of 50 ms and 200 Mbit/s between two stacks, on virtual time: one figure each, the same on any machine. */
export const pathMeasures: readonly Measure[] = [
  measure('path-from', '50 ms, 200 Mbit/s, from the opener', '% of the path', 'from', shareOfPath),
  measure('path-to', '50 ms, 200 Mbit/s, to the opener', '% of the path', 'to', shareOfPath),
  measure('path-loss-from', '50 ms, 0.1 % loss, from the opener', '% of CUBIC', 'from', shareOfCubic),
  measure('path-loss-to', '50 ms, 0.1 % loss, to the opener', '% of CUBIC', 'to', shareOfCubic),
];

function measure(
  id: string,
  title: string,
  unit: string,
  direction: Direction,
  share: (direction: Direction, seconds: number) => number,
): Measure {
  return {
    id,
    quantities: [{ id, title, unit, digits: 1, goal: NINETY_PERCENT }],
    per: 'run',
    suits: (contender) => contender.title === LIBRARY,
    take: async (_site, { simulatedSeconds }) => ({ [id]: share(direction, simulatedSeconds) }),
  };
}

function shareOfPath(direction: Direction, seconds: number): number {
  return (100 * goodput(CLEAN, direction, seconds * CLEAN_SHARE, SEED)) / CLEAN.rateBits;
}

function shareOfCubic(direction: Direction, seconds: number): number {
  return (100 * goodput(LOSSY, direction, seconds, SEED)) / cubicRate(LOSSY);
}
