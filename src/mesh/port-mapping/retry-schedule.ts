/** Pauses before an answer counts as lost: each is twice the one before (RFC 6886 §3.1). */
const FIRST_MS = 250;
/**
 * Requests until a router counts as silent, 7.75 s later. RFC 6886 has nine, which take two minutes: routers of
 * homes answer at once or never, and what is waited for is the other protocol.
 */
const MAX_TRIES = 5;
/** Requests to delete: nobody waits for more than 1.75 s, and the mapping ends by itself. */
const MAX_CLOSING_TRIES = 3;
/** Pauses after silence and refusals. RFC 6887 §7.4 has 30 s to 30 min for errors. */
const MIN_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 1_800_000;
/** Renewals are at least this far apart (RFC 6887 §11.2.1). */
const MIN_RENEWAL_MS = 4_000;

/** When a request is sent again, and how long a client pauses between its requests. */
export class RetrySchedule {
  #tries = 0;
  #pauseMs = MIN_PAUSE_MS;

  /** Begins with the first of a row of equal requests. */
  restart(): void {
    this.#tries = 0;
  }

  isExhausted(isClosing: boolean): boolean {
    return this.#tries >= (isClosing ? MAX_CLOSING_TRIES : MAX_TRIES);
  }

  /** Counts a request. @returns How long to wait for its answer. */
  nextMs(): number {
    return FIRST_MS * 2 ** this.#tries++;
  }

  /** A grant is renewed at half its lifetime (RFC 6887 §11.2.1, RFC 6886 §3.3). */
  afterGrantMs(lifetimeMs: number): number {
    this.#pauseMs = MIN_PAUSE_MS;
    return Math.max(lifetimeMs / 2, MIN_RENEWAL_MS);
  }

  /** Pauses grow, but end at half the time that is left of a mapping (RFC 6887 §11.2.1). */
  afterSilenceMs(remainingMs: number): number {
    return Math.min(this.#growingPauseMs(), Math.max(Math.floor(remainingMs / 2), MIN_RENEWAL_MS));
  }

  /** @param lifetimeSeconds How long the router expects the error to last, 0 if it has not told (RFC 6887 §8.3). */
  afterRefusalMs(lifetimeSeconds: number): number {
    return Math.min(Math.max(this.#growingPauseMs(), lifetimeSeconds * 1_000), MAX_PAUSE_MS);
  }

  #growingPauseMs(): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    return pauseMs;
  }
}
