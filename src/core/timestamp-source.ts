import { compareTai64n, TAI64N_BYTES, writeTai64n } from '../wire/tai64n.js';
import type { Environment } from './ports.js';

/** Nanoseconds are cut to multiples of this (about 17 ms), so that stamps do not tell how busy the clock is. */
const WHITENING_NANOSECONDS = 2 ** 24;

/**
 * The timestamps of our initiations: whitened, and each greater than the one before.
 *
 * A peer refuses a stamp that is not greater than every earlier one (§5.1). So when the wall clock is set
 * back, stamps go on from the last one in the smallest steps, and overtake nothing.
 *
 * Source: whitepaper §5.1, §5.4.2.
 */
export class TimestampSource {
  readonly #environment: Environment;
  readonly #last = new Uint8Array(TAI64N_BYTES);
  #lastMs = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @returns 12 bytes of its own. */
  next(): Uint8Array {
    let unixMs = this.#environment.unixTimeMs();
    const stamp = new Uint8Array(TAI64N_BYTES);
    writeWhitened(stamp, unixMs);
    while (compareTai64n(stamp, 0, this.#last, 0) <= 0) {
      unixMs = Math.max(unixMs, this.#lastMs) + WHITENING_NANOSECONDS / 1e6;
      writeWhitened(stamp, unixMs);
    }
    this.#last.set(stamp);
    this.#lastMs = unixMs;
    return stamp;
  }
}

function writeWhitened(out: Uint8Array, unixMs: number): void {
  const seconds = Math.floor(unixMs / 1_000);
  const nanoseconds = Math.floor((unixMs - seconds * 1_000) * 1e6);
  writeTai64n(out, 0, seconds, nanoseconds & -WHITENING_NANOSECONDS);
}
