import type { QuotaPeriod } from './calendar.js';

/** Bytes that were used in a period. */
export interface PeriodUsage extends QuotaPeriod {
  readonly usedBytes: number;
}

/** The part of a quota that has to outlive a restart. */
export interface QuotaRecord extends PeriodUsage {
  /** Those of the used bytes that come from another period, since the clock shows one before it. */
  readonly carriedBytes: number;
  /** Periods from before, the latest visit last. */
  readonly earlier: readonly PeriodUsage[];
}

/** Enough for a clock that is wrong a few times before it is right. */
const MAX_EARLIER = 4;

/**
 * Counts the bytes of a device from one reset to the next.
 *
 * The counts of a few periods are kept, for clocks that are set wrong and then right. Bytes of a period that did not
 * happen belong to the one that did.
 *
 * ```text
 * the clock goes                      used bytes
 * on into the next period             start from 0
 * back into a known period            that period's, and those of every period after it
 * back into an unknown period         stay (a machine without a battery starts in the past)
 * from there on into a known period   that period's, and those that came meanwhile
 * ```
 */
export class Quota {
  usedBytes = 0;
  /** Infinity: no bound. It is kept here since a member of settings that differ in shape is boxed with every packet. */
  boundBytes = Infinity;
  #carriedBytes = 0;
  #period: QuotaPeriod | undefined;
  #earlier: readonly PeriodUsage[] = [];

  get isUsedUp(): boolean {
    return this.usedBytes >= this.boundBytes;
  }

  /** Moves to the period of the present moment, `unixMs`. */
  enter(period: QuotaPeriod, unixMs: number): void {
    const before = this.#period;
    if (before?.startUnixMs === period.startUnixMs && before.endUnixMs === period.endUnixMs) return;
    this.#period = period;
    // Within the same period only its bounds have moved, with the reset day or the time zone: what was used stays used.
    if (before === undefined || holds(before, unixMs)) return;

    const known = this.#earlier.find((each) => holds(each, unixMs));
    if (known !== undefined) this.#returnTo(known);
    else this.#visit(before, unixMs < before.startUnixMs);
  }

  /** @returns `undefined` before the first period. */
  toRecord(): QuotaRecord | undefined {
    const { usedBytes } = this;
    if (this.#period === undefined) return undefined;
    return { ...this.#period, usedBytes, carriedBytes: this.#carriedBytes, earlier: this.#earlier };
  }

  /** Takes up an earlier record. Bytes that were counted meanwhile are added. */
  restore({ usedBytes, carriedBytes, startUnixMs, endUnixMs, earlier }: QuotaRecord): void {
    this.usedBytes += usedBytes;
    this.#carriedBytes = carriedBytes;
    this.#period = { startUnixMs, endUnixMs };
    this.#earlier = earlier;
  }

  #visit(before: QuotaPeriod, isBack: boolean): void {
    this.#earlier = [...this.#earlier, { ...before, usedBytes: this.usedBytes }].slice(-MAX_EARLIER);
    if (!isBack) this.usedBytes = 0;
    this.#carriedBytes = this.usedBytes;
  }

  #returnTo(known: PeriodUsage): void {
    this.usedBytes += known.usedBytes - this.#carriedBytes;
    for (const { startUnixMs, usedBytes } of this.#earlier)
      if (startUnixMs > known.startUnixMs) this.usedBytes += usedBytes;
    this.#earlier = this.#earlier.filter(({ startUnixMs }) => startUnixMs < known.startUnixMs);
    this.#carriedBytes = 0;
  }
}

function holds({ startUnixMs, endUnixMs }: QuotaPeriod, unixMs: number): boolean {
  return unixMs >= startUnixMs && unixMs < endUnixMs;
}
