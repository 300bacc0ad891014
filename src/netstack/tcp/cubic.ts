const C = 0.4;
const BETA = 0.7;
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
const MAX_GROWTH = 1.5;

/** The facts that the curve is drawn from. */
interface CubicState {
  windowMax: number;
  priorWindow: number;
  /** Start of the growth since the last event, without pauses; −1: none has begun. */
  epochStartMs: number;
  updatedMs: number;
  k: number;
  origin: number;
  estimate: number;
}

/**
 * The window of CUBIC in congestion avoidance, in segments, as floating point numbers: they neither overflow nor lose the
 * small steps of a large window.
 *
 * Source: RFC 9438 §4.2–4.9, §5.8.
 */
export class Cubic {
  #state: CubicState = {
    windowMax: 0,
    priorWindow: 0,
    epochStartMs: -1,
    updatedMs: 0,
    k: 0,
    origin: 0,
    estimate: 0,
  };
  #remembered = this.#state;

  /** Takes note of a congestion event at a window. @returns The window to go on with (§4.6, §4.7). */
  reduced(window: number): number {
    const state = this.#state;
    state.epochStartMs = -1;
    state.priorWindow = window;
    state.windowMax = window < state.windowMax ? (window * (1 + BETA)) / 2 : window;
    return window * BETA;
  }

  /** Forgets the growth so far: after a timeout, and when slow start ended without a loss (§4.8, §4.10). */
  startOver(): void {
    this.#state.epochStartMs = -1;
    this.#state.windowMax = 0;
  }

  /** Keeps the state in front of an event that may turn out to be none. */
  remember(): void {
    this.#remembered = { ...this.#state };
  }

  /** Takes back the event: it was spurious (§4.9). */
  restore(): void {
    this.#state = { ...this.#remembered };
  }

  /** Time in which nothing was sent does not count as growth (§5.8). */
  idled(ms: number): void {
    const state = this.#state;
    if (state.epochStartMs < 0) return;
    state.epochStartMs += ms;
    state.updatedMs += ms;
  }

  /** An ACK came while the window was not the limit: the time since the last one does not count (§4.2, §5.8). */
  paused(nowMs: number): void {
    if (this.#state.epochStartMs >= 0) this.idled(Math.max(nowMs - this.#state.updatedMs, 0));
  }

  /** @returns The window after `acknowledged` segments were acknowledged (§4.2–4.4). */
  grow(window: number, acknowledged: number, rttMs: number, nowMs: number): number {
    const state = this.#state;
    if (state.epochStartMs < 0) startEpoch(state, window, nowMs);
    state.updatedMs = nowMs;
    const seconds = (nowMs - state.epochStartMs) / 1_000;
    const isBelowPrior = state.estimate < state.priorWindow;
    state.estimate += (isBelowPrior ? ALPHA : 1) * (acknowledged / window);
    if (curve(state, seconds) < state.estimate) return Math.max(window, state.estimate);

    const target = Math.min(Math.max(curve(state, seconds + rttMs / 1_000), window), MAX_GROWTH * window);
    return window + ((target - window) / window) * acknowledged;
  }
}

function startEpoch(state: CubicState, window: number, nowMs: number): void {
  state.epochStartMs = nowMs;
  state.estimate = window;
  const isBelowMax = window < state.windowMax;
  state.k = isBelowMax ? Math.cbrt((state.windowMax - window) / C) : 0;
  state.origin = isBelowMax ? state.windowMax : window;
}

function curve({ k, origin }: CubicState, seconds: number): number {
  return C * (seconds - k) ** 3 + origin;
}
