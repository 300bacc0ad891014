import { DAY_MS } from './traffic-tiers.js';

/** Offsets from UTC are multiples of this, and so are the moments at which they change. */
const STEP_MS = 15 * 60_000;
/** No time zone is further from UTC than 16 hours. */
const MAX_OFFSET_STEPS = 64;

/** Finds where days begin in a time zone. */
export class LocalDays {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;
  #startUnixMs = Number.NaN;
  #endUnixMs = Number.NaN;

  /** @param timeZone A name of the time zone database. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    this.#format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
  }

  /** Returns the first moment of the local day: mostly midnight, but some zones change their clocks at midnight. */
  startOf(unixMs: number): number {
    if (unixMs >= this.#startUnixMs && unixMs < this.#endUnixMs) return this.#startUnixMs;
    const date = this.#dateAt(unixMs);
    this.#startUnixMs = this.#firstMomentOf(date);
    this.#endUnixMs = this.#firstMomentOf(date + DAY_MS);
    return this.#startUnixMs;
  }

  /** Finds the first moment whose date is not before this one, by halving. @param date Midnight of its date in UTC. */
  #firstMomentOf(date: number): number {
    let before = -MAX_OFFSET_STEPS;
    let from = MAX_OFFSET_STEPS;
    while (from - before > 1) {
      const middle = (before + from) >> 1;
      if (this.#dateAt(date + middle * STEP_MS) < date) before = middle;
      else from = middle;
    }
    return date + from * STEP_MS;
  }

  #dateAt(unixMs: number): number {
    const parts = this.#format.formatToParts(unixMs);
    const numberOf = (type: string) => Number(parts.find((part) => part.type === type)?.value);
    return Date.UTC(numberOf('year'), numberOf('month') - 1, numberOf('day'));
  }
}
