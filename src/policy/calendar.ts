/** Days of a time zone: when the month of a quota begins. */

/** From one reset to the next; `endUnixMs` belongs to the next one. */
export interface QuotaPeriod {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

const HOUR_MS = 3_600_000;
/** No zone was ever further from UTC than this. */
const MAX_ZONE_OFFSET_MS = 16 * HOUR_MS;

/** Tells whether a name is one of the time zone database. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * Finds the period that a moment is in.
 *
 * A period begins with the first moment of its local day. That is mostly midnight, but some zones change their clocks at
 * midnight, and then it is not there.
 */
export class Calendar {
  readonly #format: Intl.DateTimeFormat;
  /** By reset day: the last period that was asked for. */
  readonly #periods = new Map<number, QuotaPeriod>();

  /** @param timeZone A name for which `isTimeZone` holds. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
  }

  /** @param resetDay Day of the month, 1 to 31; a month that is shorter resets on its last day. */
  periodAt(unixMs: number, resetDay: number): QuotaPeriod {
    const known = this.#periods.get(resetDay);
    if (known !== undefined && unixMs >= known.startUnixMs && unixMs < known.endUnixMs) return known;

    const { month, day } = this.#dateAt(unixMs);
    const start = day >= dayInMonth(month, resetDay) ? month : month - 1;
    const period = {
      startUnixMs: this.#firstMomentOf(start, dayInMonth(start, resetDay)),
      endUnixMs: this.#firstMomentOf(start + 1, dayInMonth(start + 1, resetDay)),
    };
    this.#periods.set(resetDay, period);
    return period;
  }

  /** Finds the first moment whose local date is not before this one, by halving. */
  #firstMomentOf(month: number, day: number): number {
    const utcMs = utcDay(month, day);
    let before = utcMs - MAX_ZONE_OFFSET_MS;
    let after = utcMs + MAX_ZONE_OFFSET_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      const date = this.#dateAt(middle);
      if (date.month > month || (date.month === month && date.day >= day)) after = middle;
      else before = middle;
    }
    return after;
  }

  #dateAt(unixMs: number): LocalDate {
    let [year, month, day] = [0, 0, 0];
    for (const { type, value } of this.#format.formatToParts(unixMs)) {
      if (type === 'year') year = Number(value);
      else if (type === 'month') month = Number(value);
      else if (type === 'day') day = Number(value);
    }
    return { month: year * 12 + month - 1, day };
  }
}

interface LocalDate {
  /** Months since the year 0. */
  readonly month: number;
  readonly day: number;
}

function dayInMonth(month: number, resetDay: number): number {
  const lastDay = new Date(utcDay(month + 1, 0)).getUTCDate();
  return Math.min(resetDay, lastDay);
}

/** @param day 0 is the last day of the month before. */
function utcDay(month: number, day: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, day);
}
