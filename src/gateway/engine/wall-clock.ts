import type { Clock } from '../../host/clock.js';
import type { Policy } from '../../policy/policy.js';

/** How far the wall clock may be from where it was expected before policy is told. */
const TOLERANCE_MS = 500;

/** Tells policy when the wall clock was set: expiry and quotas go by it, everything else by the loop's clock. */
export class WallClock {
  readonly #policy: Policy;
  readonly #clock: Clock;
  #offsetMs: number;

  constructor(policy: Policy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#offsetMs = Date.now() - clock.nowMs();
  }

  check(): void {
    const nowMs = this.#clock.nowMs();
    const offsetMs = Date.now() - nowMs;
    if (Math.abs(offsetMs - this.#offsetMs) < TOLERANCE_MS) return;
    this.#offsetMs = offsetMs;
    this.#policy.clockRead(Date.now(), nowMs);
  }
}
