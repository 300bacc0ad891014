import { Calendar } from './calendar.js';

/**
 * Knows what the wall clock shows, from its last reading and the time that has passed since.
 *
 * All else in policy runs on `nowMs`. Whoever owns the policy reads the wall clock again from time to time, and when the
 * system reports that it was set; a jump takes effect with that reading.
 */
export class PolicyClock {
  calendar: Calendar;
  #offsetMs: number;

  constructor(timeZone: string, unixMs: number, nowMs: number) {
    this.calendar = new Calendar(timeZone);
    this.#offsetMs = unixMs - nowMs;
  }

  read(unixMs: number, nowMs: number): void {
    this.#offsetMs = unixMs - nowMs;
  }

  unixMsAt(nowMs: number): number {
    return nowMs + this.#offsetMs;
  }

  /** When a moment of the wall clock comes, on the clock of `nowMs`. */
  nowMsAt(unixMs: number): number {
    return unixMs - this.#offsetMs;
  }
}
