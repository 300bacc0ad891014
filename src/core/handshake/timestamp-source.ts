import { TAI64N_BYTES, writeTai64n } from '../../wire/tai64n.js';
import type { Environment } from '../ports.js';

/** Stamps are cut to multiples of 2^24 ns (about 17 ms), so that they do not reveal the load of the sender. */
const STEP_NANOSECONDS = 2 ** 24;
/** Steps per second; each second starts again at step 0. */
const STEPS_PER_SECOND = Math.floor(1e9 / STEP_NANOSECONDS) + 1;

/**
 * The timestamps of our initiations: whitened, and for each peer strictly increasing.
 *
 * A peer refuses a stamp that is not greater than every earlier one (§5.1). When the wall clock is set
 * back, the device uses the latest time that it ever saw, and a peer's stamps grow in the smallest steps.
 *
 * Source: whitepaper §5.1, §5.4.2.
 */
export class TimestampSource {
  readonly #environment: Environment;
  #latestUnixMs: number;
  #retiredStep = -1;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#latestUnixMs = environment.earliestStampUnixMs ?? 0;
  }

  /**
   * @param lastStep The result for the peer's last stamp; −1 if there was none.
   * @returns The number of the next stamp in the sequence of all stamps, for `write`.
   */
  nextStep(lastStep: number): number {
    this.#latestUnixMs = Math.max(this.#latestUnixMs, this.#environment.unixTimeMs());
    const floor = lastStep < 0 ? this.#retiredStep : lastStep;
    return Math.max(stepAt(this.#latestUnixMs), floor + 1);
  }

  /** Records the last stamp of a removed peer: a peer that is added again still refuses stamps up to it. */
  retire(lastStep: number): void {
    this.#retiredStep = Math.max(this.#retiredStep, lastStep);
  }

  /** @returns The 12 bytes of the stamp. */
  static write(step: number): Uint8Array {
    const stamp = new Uint8Array(TAI64N_BYTES);
    const seconds = Math.floor(step / STEPS_PER_SECOND);
    writeTai64n(stamp, 0, seconds, (step - seconds * STEPS_PER_SECOND) * STEP_NANOSECONDS);
    return stamp;
  }
}

function stepAt(unixMs: number): number {
  const seconds = Math.floor(unixMs / 1_000);
  return seconds * STEPS_PER_SECOND + Math.floor(((unixMs - seconds * 1_000) * 1e6) / STEP_NANOSECONDS);
}
