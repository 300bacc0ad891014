import type { QuotaPeriod } from './calendar.js';

/** What has to outlive a restart. */
export interface QuotaRecord {
  readonly usedBytes: number;
  readonly period: QuotaPeriod;
  /** Absent: there is nothing to go back to. */
  readonly previous?: { readonly usedBytes: number; readonly startUnixMs: number };
}

/**
 * Counts the bytes of a device from one reset to the next.
 *
 * The count of the period before is kept. A clock that was wrongly set ahead, and then set right, must neither forgive
 * what was used nor lock a device out until the wrong date: the earlier count is taken up again, with what was used
 * meanwhile.
 */
export class Quota {
  usedBytes = 0;
  #period: QuotaPeriod | undefined;
  #previous: QuotaRecord['previous'];

  /** Moves to the period of the present moment, `unixMs`. */
  enter(period: QuotaPeriod, unixMs: number): void {
    const before = this.#period;
    if (before?.startUnixMs === period.startUnixMs && before.endUnixMs === period.endUnixMs) return;
    this.#period = period;
    if (before === undefined) return;

    if (unixMs >= before.endUnixMs) {
      this.#previous = { usedBytes: this.usedBytes, startUnixMs: before.startUnixMs };
      this.usedBytes = 0;
      return;
    }
    // The clock was set back, and bytes of a period that did not happen belong to the one that did. Otherwise the reset
    // day or the time zone is another one, and what was used stays used.
    if (unixMs < before.startUnixMs && this.#previous?.startUnixMs === period.startUnixMs)
      this.usedBytes += this.#previous.usedBytes;
    this.#previous = undefined;
  }

  /** @returns `undefined` before the first period. */
  toRecord(): QuotaRecord | undefined {
    const { usedBytes } = this;
    if (this.#period === undefined) return undefined;
    const record = { usedBytes, period: this.#period };
    return this.#previous === undefined ? record : { ...record, previous: this.#previous };
  }

  /** Takes up an earlier record. Bytes that were counted meanwhile are added. */
  restore({ usedBytes, period, previous }: QuotaRecord): void {
    this.usedBytes += usedBytes;
    this.#period = period;
    this.#previous = previous;
  }
}
