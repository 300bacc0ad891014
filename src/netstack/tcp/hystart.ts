import { isBefore } from '../sequence.js';

const MIN_THRESHOLD_MS = 4;
const MAX_THRESHOLD_MS = 16;
const MIN_SAMPLES = 8;
const CSS_ROUNDS = 5;
const CSS_GROWTH_DIVISOR = 4;

/**
 * Leaves slow start before it overflows the path: when round trips become longer from one round to the next, growth first
 * slows down (conservative slow start) and ends unless the delay was a mistake.
 *
 * Source: RFC 9406 §4.
 */
export class HyStart {
  #roundEnd = 0;
  #lastRoundMinMs = Infinity;
  #roundMinMs = Infinity;
  #samples = 0;
  /** Smallest round trip when conservative slow start began; `Infinity` outside of it. */
  #baselineMs = Infinity;
  #cssRounds = 0;

  /** Divides the bytes of an ACK before they let the window grow. */
  get growthDivisor(): number {
    return this.#isConservative ? CSS_GROWTH_DIVISOR : 1;
  }

  startRound(sndNxt: number): void {
    this.#lastRoundMinMs = this.#roundMinMs;
    this.#roundMinMs = Infinity;
    this.#samples = 0;
    this.#roundEnd = sndNxt;
  }

  /**
   * Takes note of an ACK in slow start.
   *
   * @param rttMs Negative if the ACK gave no sample.
   * @returns Whether slow start is over.
   */
  acknowledged(acknowledgment: number, sndNxt: number, rttMs: number): boolean {
    if (rttMs >= 0) this.#addSample(rttMs);
    if (isBefore(acknowledgment, this.#roundEnd)) return false;
    this.startRound(sndNxt);
    if (!this.#isConservative) return false;
    this.#cssRounds++;
    return this.#cssRounds >= CSS_ROUNDS;
  }

  reset(): void {
    this.#baselineMs = Infinity;
    this.#cssRounds = 0;
    this.#lastRoundMinMs = Infinity;
    this.#roundMinMs = Infinity;
  }

  get #isConservative(): boolean {
    return this.#baselineMs !== Infinity;
  }

  #addSample(rttMs: number): void {
    this.#roundMinMs = Math.min(this.#roundMinMs, rttMs);
    this.#samples++;
    if (this.#samples < MIN_SAMPLES || this.#lastRoundMinMs === Infinity) return;
    if (this.#isConservative) {
      if (this.#roundMinMs < this.#baselineMs) this.#baselineMs = Infinity;
      return;
    }
    const thresholdMs = Math.min(Math.max(this.#lastRoundMinMs / 8, MIN_THRESHOLD_MS), MAX_THRESHOLD_MS);
    if (this.#roundMinMs < this.#lastRoundMinMs + thresholdMs) return;
    this.#baselineMs = this.#roundMinMs;
    this.#cssRounds = 0;
  }
}
