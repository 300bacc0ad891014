import { randomFillSync } from 'node:crypto';

import type { Environment } from '../core/ports.js';

/** Randomness and wall clock of the running process. */
export const nodeEnvironment: Environment = {
  random: (out) => void randomFillSync(out),
  unixTimeMs: () => Date.now(),
};
