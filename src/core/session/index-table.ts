import type { Environment } from '../ports.js';

/** Two tries in a row fail once in 2^30 draws from a table of 2^17: after so many the random source is broken. */
const MAX_DRAWS = 64;

/**
 * The local indices of a device, each with its entry.
 *
 * An index is drawn at random, so that it neither reveals the number of sessions nor can be guessed.
 * Indices are int32: V8 keeps int32 map keys unboxed.
 *
 * Source: whitepaper §5.4.2 (sender index).
 */
export class IndexTable<Entry extends object> {
  readonly #entries = new Map<number, Entry>();
  readonly #environment: Environment;
  readonly #draw = new Int32Array(1);

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns A new index for `entry`. */
  allocate(entry: Entry): number {
    for (let draws = 0; draws < MAX_DRAWS; draws++) {
      this.#environment.random(new Uint8Array(this.#draw.buffer));
      const index = this.#draw[0];
      if (this.#entries.has(index)) continue;
      this.#entries.set(index, entry);
      return index;
    }
    throw new Error('the random source repeats itself');
  }

  get(index: number): Entry | undefined {
    return this.#entries.get(index);
  }

  /** Replaces the entry of an allocated index. */
  replace(index: number, entry: Entry): void {
    if (!this.#entries.has(index)) throw new Error(`index ${index} is not allocated`);
    this.#entries.set(index, entry);
  }

  release(index: number): void {
    this.#entries.delete(index);
  }
}
