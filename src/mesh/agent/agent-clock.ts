/** A host without a battery for its clock wakes up years ago. */
const MAX_ERROR_MS = 86_400_000;

/**
 * The wall clock of an agent, corrected by the hub's where that one signs the records anyway: in mode `auto`. In mode `locked` a wrong
 * clock is only reported, since a hub that sets it could let old records live on.
 *
 * The time of the hub is carried on by a clock that nobody sets: a wall clock that is set right later is right at once.
 */
export class AgentClock {
  readonly #own: () => number;
  readonly #elapsedMs: () => number;
  /** The hub's clock less the one that nobody sets. Absent: the hub has not said. */
  #hubOffsetMs: number | undefined;
  #mode: 'auto' | 'locked' = 'locked';

  /** @param elapsedMs A clock that is never set, and goes on while the machine sleeps. */
  constructor(own: () => number, elapsedMs: () => number) {
    this.#own = own;
    this.#elapsedMs = elapsedMs;
  }

  get nowUnixMs(): number {
    return this.#own() + (this.#mode === 'auto' ? this.errorMs : 0);
  }

  /** The hub's clock less this host's; 0: they differ by less than a day. */
  get errorMs(): number {
    if (this.#hubOffsetMs === undefined) return 0;
    const errorMs = this.#hubOffsetMs + this.#elapsedMs() - this.#own();
    return Math.abs(errorMs) > MAX_ERROR_MS ? errorMs : 0;
  }

  read(hubUnixMs: number, mode: 'auto' | 'locked'): void {
    this.#hubOffsetMs = hubUnixMs - this.#elapsedMs();
    this.#mode = mode;
  }
}
