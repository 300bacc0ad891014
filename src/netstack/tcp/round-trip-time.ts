import { CLOCK_RESOLUTION_MS, INITIAL_RTO_MS, MAX_RTO_MS, MIN_RTO_MS, MIN_RTT_WINDOW_MS } from '../constants.js';

/**
 * The round-trip time of one connection, smoothed, and the retransmission timeout that follows from it.
 *
 * A timeout doubles the next one, and only a valid sample ends that (RFC 6298 §5.5–5.7): an ACK of what was sent twice says
 * nothing about the path.
 *
 * Source: RFC 6298 §2, §5; RFC 7323 §4.2.
 */
export class RoundTripTime {
  /** −1 before the first sample. */
  smoothedMs = -1;
  latestMs = -1;
  #varianceMs = 0;
  #rtoMs = INITIAL_RTO_MS;
  #backOff = 1;
  #minMs = Infinity;
  #minSinceMs = 0;

  get hasSample(): boolean {
    return this.smoothedMs >= 0;
  }

  /** RFC 6298 §2: without back-off. */
  get rtoMs(): number {
    return this.#rtoMs;
  }

  /** RFC 6298 §5.5: doubled for each timeout since the last sample. */
  get timeoutMs(): number {
    return Math.min(this.#rtoMs * this.#backOff, MAX_RTO_MS);
  }

  /** The smallest sample of the last minutes, at least the resolution of the clock; `Infinity` before the first. */
  get minMs(): number {
    return this.#minMs;
  }

  /** RFC 6298 §5.7 and the case of a SYN that waited for something else than the path. */
  startOver(rtoMs: number): void {
    this.smoothedMs = -1;
    this.#rtoMs = rtoMs;
    this.#backOff = 1;
  }

  /** A timeout passed. */
  backOff(): void {
    this.#backOff = Math.min(2 * this.#backOff, MAX_RTO_MS);
  }

  /** @param weight How many samples the ACK stands for per round trip: divides the gains (RFC 7323 §4.2). */
  addSample(sampleMs: number, nowMs: number, weight = 1): void {
    const rttMs = Math.max(sampleMs, CLOCK_RESOLUTION_MS);
    this.latestMs = rttMs;
    if (rttMs <= this.#minMs || nowMs - this.#minSinceMs > MIN_RTT_WINDOW_MS) {
      this.#minMs = rttMs;
      this.#minSinceMs = nowMs;
    }
    if (!this.hasSample) {
      this.smoothedMs = rttMs;
      this.#varianceMs = rttMs / 2;
    } else {
      this.#varianceMs += (Math.abs(this.smoothedMs - rttMs) - this.#varianceMs) / (4 * weight);
      this.smoothedMs += (rttMs - this.smoothedMs) / (8 * weight);
    }
    const slackMs = Math.max(4 * this.#varianceMs, MIN_RTO_MS, CLOCK_RESOLUTION_MS);
    this.#rtoMs = Math.min(Math.ceil(this.smoothedMs + slackMs), MAX_RTO_MS);
    this.#backOff = 1;
  }
}
