/** A callback that is scheduled. */
export interface ScheduledCall {
  /**
   * Cancels the call. Does nothing once the call has begun.
   *
   * @param mustSleep The process must not wake up at that time at all, which costs up to a millisecond of work now.
   */
  cancel(mustSleep?: boolean): void;
}

/**
 * Time and timers of one loop.
 *
 * The port lets a loop run on virtual time in tests, and lets time go on while the machine sleeps.
 */
export interface Clock {
  /** Returns milliseconds since an arbitrary moment, an integer. Never goes back, and counts the time asleep. */
  nowMs(): number;
  /** Number of sleeps longer than SUSPEND_MS that `nowMs` has detected. */
  readonly suspensions: number;
  /** Calls back at `atMs` or earlier, so that the callback must read the clock again. */
  callAt(atMs: number, callback: () => void): ScheduledCall;
  /** Calls back once, after the events of the current turn. */
  callSoon(callback: () => void): void;
}

/** A longer sleep ends all sessions, since keys must not outlive a suspend. */
export const SUSPEND_MS = 60_000;
