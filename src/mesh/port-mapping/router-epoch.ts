/** How far the clocks of a router and a client may differ: two seconds, and a sixteenth of the time (§8.5). */
const ROUNDING_SECONDS = 2;
const DRIFT_DIVISOR = 16;
/** Answers may overtake each other, so that time seems to go back a little. */
const REORDERED_SECONDS = 1;

interface Reading {
  readonly seconds: number;
  readonly atMs: number;
}

/**
 * Tells from the age that a router states in each answer whether it has lost its mappings since the answer before.
 *
 * The rule is the one of PCP, for NAT-PMP too: RFC 6886 §3.6 lets a router's clock run slower, so that a NAT-PMP router
 * with a very slow clock is asked once more than it need be.
 *
 * Source: RFC 6887 §8.5.
 */
export class RouterEpoch {
  #last: Reading | undefined;

  /** Takes the age from an answer. @returns Whether the router has started anew. The first answer never tells. */
  isRestart(seconds: number, nowMs: number): boolean {
    const last = this.#last;
    this.#last = { seconds, atMs: nowMs };
    if (last === undefined) return false;
    if (seconds + REORDERED_SECONDS < last.seconds) return true;

    const routerSeconds = seconds - last.seconds;
    const ownSeconds = Math.floor((nowMs - last.atMs) / 1_000);
    return isMuchLess(ownSeconds, routerSeconds) || isMuchLess(routerSeconds, ownSeconds);
  }
}

function isMuchLess(a: number, b: number): boolean {
  return a + ROUNDING_SECONDS < b - Math.floor(b / DRIFT_DIVISOR);
}
