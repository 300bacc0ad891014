/** A callback that waits for its moment. */
export interface ScheduledCall {
  /** Does nothing once the call has begun. */
  cancel(): void;
}

/**
 * Time and timers of one loop.
 *
 * The port exists so that a loop runs on virtual time in tests, and so that time goes on while the machine sleeps.
 */
export interface Clock {
  /** Milliseconds since an arbitrary moment, an integer. Never goes back, and counts the time that the machine sleeps. */
  nowMs(): number;
  /** Number of times that the machine slept for more than SUSPEND_MS, as far as `nowMs` has noticed. */
  readonly suspensions: number;
  /** Calls back at `atMs`, or earlier: the callback reads the clock again. */
  callAt(atMs: number, callback: () => void): ScheduledCall;
  /** Calls back once, after the events of the current turn. */
  callSoon(callback: () => void): void;
}

/** A machine that slept longer has lost its sessions: their keys must not outlive a suspend. */
export const SUSPEND_MS = 60_000;
