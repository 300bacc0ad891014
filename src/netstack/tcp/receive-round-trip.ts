import { CLOCK_RESOLUTION_MS } from '../constants.js';
import { isBefore } from '../sequence.js';

/**
 * The round-trip time as the receiving side sees it: a connection that only receives has nothing of its own to measure.
 *
 * With timestamps, data echoes a stamp of an ACK that let it out. Without them, a window that is advertised now is filled a round
 * trip later at the earliest. Both measure too much when the sender paused, so the least value counts.
 *
 * Source: RFC 7323 §4.1 (what is echoed).
 */
export class ReceiveRoundTrip {
  /** −1: not known yet. */
  ms = -1;
  #windowEnd = 0;
  #windowSinceMs = -1;

  echoed(ms: number): void {
    if (ms >= 0) this.#add(ms);
  }

  /** @param edge The end of the window that is advertised now. */
  arrived(rcvNxt: number, edge: number, nowMs: number): void {
    if (this.#windowSinceMs >= 0) {
      if (isBefore(rcvNxt, this.#windowEnd)) return;
      this.#add(nowMs - this.#windowSinceMs);
    }
    this.#windowEnd = edge;
    this.#windowSinceMs = nowMs;
  }

  #add(ms: number): void {
    const sample = Math.max(ms, CLOCK_RESOLUTION_MS);
    if (this.ms < 0 || sample < this.ms) this.ms = sample;
  }
}
