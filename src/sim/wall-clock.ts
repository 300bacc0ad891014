import type { EventQueue } from './event-queue.js';

/** The wall clock of one machine: runs with virtual time, and may be set to anything. */
export class WallClock {
  readonly #events: EventQueue;
  #offsetMs: number;

  /** @param unixMs The current reading, in milliseconds since 1970. */
  constructor(events: EventQueue, unixMs: number) {
    this.#events = events;
    this.#offsetMs = unixMs - events.nowMs;
  }

  get unixMs(): number {
    return this.#events.nowMs + this.#offsetMs;
  }

  /** Sets the clock forward, or back if negative. */
  step(byMs: number): void {
    this.#offsetMs += byMs;
  }
}
