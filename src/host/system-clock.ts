import { type Clock, type ScheduledCall, SUSPEND_MS } from './clock.js';

/** Timers of Node stop while the machine sleeps: a sleep is detected at most this long after waking up. */
const MAX_TIMER_MS = 30_000;
/** The greatest difference between readings of clocks that run alike. */
const BOOT_TIME_TOLERANCE_MS = 10;
/** The wall clock is corrected continuously; a larger step counts as a sleep. */
const WALL_CLOCK_TOLERANCE_MS = SUSPEND_MS;

/** The clocks behind a `SystemClock`; tests supply other clocks. */
export interface ClockReadings {
  /** A clock that stops while the machine sleeps, in milliseconds. */
  readonly monotonicMs: () => number;
  /** A clock that goes on while the machine sleeps, in milliseconds. */
  readonly awakeAndAsleepMs: () => number;
  /** Differences between both clocks up to this size are ignored. */
  readonly toleranceMs: number;
}

/**
 * The clock of the running machine: CLOCK_MONOTONIC plus the time that the machine has slept.
 *
 * The time asleep comes from CLOCK_BOOTTIME where the addon is loaded. Elsewhere it comes from forward jumps of the wall
 * clock by more than a minute, which may also be corrections of that clock: sessions are then renewed without need.
 */
export class SystemClock implements Clock {
  readonly #readings: ClockReadings;
  #sleptMs = 0;
  #difference: number;
  #suspensions = 0;

  /** @param bootTimeMs Reads CLOCK_BOOTTIME by the addon. */
  static create(bootTimeMs?: () => number): SystemClock {
    const monotonicMs = () => performance.now();
    if (bootTimeMs !== undefined)
      return new SystemClock({ monotonicMs, awakeAndAsleepMs: bootTimeMs, toleranceMs: BOOT_TIME_TOLERANCE_MS });
    return new SystemClock({ monotonicMs, awakeAndAsleepMs: Date.now, toleranceMs: WALL_CLOCK_TOLERANCE_MS });
  }

  constructor(readings: ClockReadings) {
    this.#readings = readings;
    this.#difference = this.#readDifference();
  }

  get suspensions(): number {
    return this.#suspensions;
  }

  nowMs(): number {
    const monotonicMs = Math.floor(this.#readings.monotonicMs());
    const driftMs = this.#readings.awakeAndAsleepMs() - monotonicMs - this.#difference;
    if (Math.abs(driftMs) <= this.#readings.toleranceMs) return monotonicMs + this.#sleptMs;
    this.#noticeDrift();
    return Math.floor(this.#readings.monotonicMs()) + this.#sleptMs;
  }

  callAt(atMs: number, callback: () => void): ScheduledCall {
    const delayMs = Math.min(Math.max(atMs - this.nowMs(), 0), MAX_TIMER_MS);
    const timer = setTimeout(callback, delayMs);
    return {
      cancel: (mustSleep) => {
        clearTimeout(timer);
        if (mustSleep === true) lookAtTimers();
      },
    };
  }

  callSoon(callback: () => void): void {
    setImmediate(callback);
  }

  /** Reads both clocks again: the process may have been stopped between the two readings. */
  #noticeDrift(): void {
    const difference = this.#readDifference();
    const driftMs = difference - this.#difference;
    if (Math.abs(driftMs) <= this.#readings.toleranceMs) return;
    this.#difference = difference;
    if (driftMs < 0) return; // the wall clock was set back
    this.#sleptMs += driftMs;
    if (driftMs > SUSPEND_MS) this.#suspensions++;
  }

  #readDifference(): number {
    const monotonicMs = Math.floor(this.#readings.monotonicMs());
    return Math.floor(this.#readings.awakeAndAsleepMs()) - monotonicMs;
  }
}

/**
 * Makes Node look at its timers: it wakes up at the time of one that was cleared, unless it looked at them meanwhile.
 *
 * A timer of a millisecond brings a look about. Immediates keep the loop turning until then, since to sleep is to wake up.
 */
function lookAtTimers(): void {
  let hasLooked = false;
  const turn = (): void => {
    if (!hasLooked) setImmediate(turn);
  };
  setTimeout(() => {
    hasLooked = true;
  }, 1);
  turn();
}
