/** A host without a battery for its clock wakes up years ago. */
const MAX_ERROR_MS = 86_400_000;

/**
 * The wall clock of an agent, corrected by the hub's where that one signs the records anyway: in mode `auto`. In mode `locked` a wrong
 * clock is only reported, since a hub that sets it could let old records live on.
 */
export class AgentClock {
  readonly #own: () => number;
  #errorMs = 0;
  #correctionMs = 0;

  constructor(own: () => number = Date.now) {
    this.#own = own;
  }

  get nowUnixMs(): number {
    return this.#own() + this.#correctionMs;
  }

  /** The hub's clock less this host's; 0: they differ by less than a day. */
  get errorMs(): number {
    return this.#errorMs;
  }

  read(hubUnixMs: number, mode: 'auto' | 'locked'): void {
    const errorMs = hubUnixMs - this.#own();
    this.#errorMs = Math.abs(errorMs) > MAX_ERROR_MS ? errorMs : 0;
    this.#correctionMs = mode === 'auto' ? this.#errorMs : 0;
  }
}
