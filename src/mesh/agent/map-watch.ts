import type { AgentClock } from './agent-clock.js';
import type { KnownMap } from './known-map.js';

const ROUND_MS = 3_600_000;
const LEAST_MS = 1_000;
/** While the clock of this host is wrong, it is looked at this often. */
const CLOCK_MS = 10_000;

export interface MapWatchOptions {
  readonly map: Pick<KnownMap, 'expire' | 'nextExpiryUnixMs'>;
  readonly clock: Pick<AgentClock, 'errorMs' | 'nowUnixMs'>;
  /** Records have run out. */
  readonly onExpired: () => void;
  /** The hub is to be asked for what this agent lacks. */
  readonly onLack: () => void;
  /** The clock of this host is found wrong, or (0) right again. */
  readonly onClock: (errorMs: number) => void;
}

/**
 * The watch over the map of an agent: records run out, and records that a wrong clock refused are good once that is set right. The
 * hub is asked for the map then, since it takes it for known.
 */
export class MapWatch {
  readonly #options: MapWatchOptions;
  #wasClockWrong = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MapWatchOptions) {
    this.#options = options;
  }

  /** Looks at map and clock now, as after a map has come, and again when that is due. */
  look(): void {
    const { map, clock, onExpired, onLack, onClock } = this.#options;
    const isClockWrong = clock.errorMs !== 0;
    const isClockSet = isClockWrong !== this.#wasClockWrong;
    this.#wasClockWrong = isClockWrong;
    if (isClockSet) onClock(clock.errorMs);
    const isAnyExpired = map.expire(clock.nowUnixMs).length > 0;
    if (isAnyExpired) onExpired();
    if (isAnyExpired || (isClockSet && !isClockWrong)) onLack();
    const untilExpiryMs = Math.max(LEAST_MS, map.nextExpiryUnixMs - clock.nowUnixMs);
    this.#again(Math.min(untilExpiryMs, isClockWrong ? CLOCK_MS : ROUND_MS));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #again(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), ms).unref();
  }
}
