import { isIP } from 'node:net';

/** A way that has not answered for so long is doubted. */
const SLOW_MS = 1_000;
/** Nobody waits longer for another answer than that of before. */
const PATIENCE_MS = 2_000;

/** Looks a name up. @returns Addresses. @throws {Error} With a code of `node:dns`. */
export type AskName = (host: string) => Promise<readonly string[]>;

/**
 * Looks up the names that an agent itself connects to, while all other traffic of the host goes by an exit.
 *
 * The system asks through the tunnel, which may be down because the hub is elsewhere by now; so other ways are tried when one fails
 * or is slow, and the last answer stays good while none answers.
 */
export class OutsideNames {
  readonly #ways: readonly AskName[];
  readonly #slowMs: number;
  readonly #patienceMs: number;
  readonly #known = new Map<string, readonly string[]>();

  /** @param ways The first one's errors are those that the caller sees. */
  constructor(ways: readonly AskName[], slowMs = SLOW_MS, patienceMs = PATIENCE_MS) {
    this.#ways = ways;
    this.#slowMs = slowMs;
    this.#patienceMs = patienceMs;
  }

  /** @throws {Error} No way answers, and none has before. */
  async lookup(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    const known = this.#known.get(host);
    const found = this.#ask(host);
    if (known === undefined) return await found;
    return await orAfter(
      this.#patienceMs,
      found.catch(() => known),
      known,
    );
  }

  async #ask(host: string): Promise<readonly string[]> {
    try {
      const found = await this.#askFrom(0, host);
      this.#known.set(host, found);
      return found;
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  /** Asks one way, and then the others as well if it fails or is slow. */
  async #askFrom(way: number, host: string): Promise<readonly string[]> {
    const answer = this.#ways[way]!(host);
    if (way === this.#ways.length - 1) return await answer;
    const isGood = answer.then(
      () => true,
      () => false,
    );
    if (await orAfter(this.#slowMs, isGood, false)) return await answer;
    return await Promise.any([answer, this.#askFrom(way + 1, host)]);
  }
}

/** Returns what is found in time, else what stands in for it. */
async function orAfter<T>(ms: number, found: Promise<T>, standIn: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, ms, standIn);
  });
  return await Promise.race([found, late]).finally(() => clearTimeout(timer));
}
