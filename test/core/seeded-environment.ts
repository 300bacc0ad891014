import type { Environment } from '../../src/core/ports.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';

/** An environment whose randomness is the same on every run, on a clock that stands. */
export function seededEnvironment(seed = 1): Environment {
  const random = new SeededRandom(seed);
  return { random: (out) => random.fill(out), unixTimeMs: () => Date.UTC(2026, 0, 1) };
}
