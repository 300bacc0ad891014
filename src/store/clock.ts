/** The clocks that the store reads. */
export interface Clock {
  /** Wall clock: it may jump. */
  nowUnixMs(): number;
  /** Monotonic clock. */
  nowMs(): number;
}

export const SYSTEM_CLOCK: Clock = {
  nowUnixMs: () => Date.now(),
  nowMs: () => Math.floor(performance.now()),
};
