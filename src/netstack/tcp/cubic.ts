const C = 0.4;
const BETA = 0.7;
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
const MAX_GROWTH = 1.5;

/**
 * The window of CUBIC in congestion avoidance, in segments, as floating point numbers: they neither overflow nor lose the
 * small steps of a large window.
 *
 * Source: RFC 9438 §4.2–4.7.
 */
export class Cubic {
  #windowMax = 0;
  #priorWindow = 0;
  #epochStartMs = -1;
  #k = 0;
  #origin = 0;
  #estimate = 0;

  /** Takes note of a congestion event at a window. @returns The window to go on with (§4.6, §4.7). */
  reduced(window: number): number {
    this.#epochStartMs = -1;
    this.#priorWindow = window;
    this.#windowMax = window < this.#windowMax ? (window * (1 + BETA)) / 2 : window;
    return window * BETA;
  }

  /** Forgets the growth so far: after a timeout, and when slow start ended without a loss (§4.8, §4.10). */
  startOver(): void {
    this.#epochStartMs = -1;
    this.#windowMax = 0;
  }

  /** Time in which nothing was sent, or the window was not used up, does not count as growth (§5.8). */
  idled(ms: number): void {
    if (this.#epochStartMs >= 0) this.#epochStartMs += ms;
  }

  /** @returns The window after `acknowledged` segments were acknowledged (§4.2–4.4). */
  grow(window: number, acknowledged: number, rttMs: number, nowMs: number): number {
    if (this.#epochStartMs < 0) this.#startEpoch(window, nowMs);
    const seconds = (nowMs - this.#epochStartMs) / 1_000;
    const isBelowPrior = this.#estimate < this.#priorWindow;
    this.#estimate += (isBelowPrior ? ALPHA : 1) * (acknowledged / window);
    if (this.#at(seconds) < this.#estimate) return Math.max(window, this.#estimate);

    const target = Math.min(Math.max(this.#at(seconds + rttMs / 1_000), window), MAX_GROWTH * window);
    return window + ((target - window) / window) * acknowledged;
  }

  #startEpoch(window: number, nowMs: number): void {
    this.#epochStartMs = nowMs;
    this.#estimate = window;
    if (window < this.#windowMax) {
      this.#k = Math.cbrt((this.#windowMax - window) / C);
      this.#origin = this.#windowMax;
    } else {
      this.#k = 0;
      this.#origin = window;
    }
  }

  #at(seconds: number): number {
    return C * (seconds - this.#k) ** 3 + this.#origin;
  }
}
