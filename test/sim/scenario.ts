import { it } from 'node:test';

import { Simulation, type SimulationOptions } from '../../src/sim/simulation.js';

const DEFAULT_SEED = 20_260_101;
const TIMEOUT_MS = 240_000;

/**
 * A test in a simulated world. On failure the seed stands in the message.
 *
 * `WIRETYPE_SIM_SEED` gives another seed to every scenario of the run.
 */
export function scenario(
  title: string,
  run: (world: Simulation) => void,
  options: Partial<SimulationOptions> = {},
): void {
  it(title, { timeout: TIMEOUT_MS }, () => {
    const seed = options.seed ?? Number(process.env['WIRETYPE_SIM_SEED'] ?? DEFAULT_SEED);
    try {
      run(new Simulation({ ...options, seed }));
    } catch (error) {
      if (error instanceof Error) error.message = `${error.message}\nRepeat it with WIRETYPE_SIM_SEED=${seed}`;
      throw error;
    }
  });
}
