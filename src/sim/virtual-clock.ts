import type { Clock, ScheduledCall } from '../host/clock.js';
import type { EventQueue } from './event-queue.js';

/** The clock of a loop that runs in a simulation. */
export class VirtualClock implements Clock {
  suspensions = 0;
  readonly #events: EventQueue;

  constructor(events: EventQueue) {
    this.#events = events;
  }

  nowMs(): number {
    return this.#events.nowMs;
  }

  callAt(atMs: number, callback: () => void): ScheduledCall {
    const event = this.#events.schedule(Math.max(atMs, this.#events.nowMs), callback);
    return {
      cancel: () => {
        event.isCancelled = true;
      },
    };
  }

  callSoon(callback: () => void): void {
    this.#events.schedule(this.#events.nowMs, callback);
  }
}
