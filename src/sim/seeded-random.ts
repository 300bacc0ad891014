/**
 * Random numbers that are the same on every run, so that a failure can be repeated from its seed.
 *
 * Source: sfc32 of PractRand (C. Doty-Humphrey), in the public domain as an algorithm.
 */
export class SeededRandom {
  #a: number;
  #b = 0x9e37_79b9;
  #c = 0x243f_6a88;
  #counter = 1;

  /** @param seed Any integer; only its low 32 bits are used. */
  constructor(seed: number) {
    this.#a = seed | 0;
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.next32();
  }

  /** An integer from 0 to 2^32 − 1. */
  next32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.next32() / 2 ** 32;
  }

  /** An integer from 0 to `limit` − 1. */
  integer(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Returns true with the given probability. Draws no number for 0 and 1, so that unused faults cost nothing. */
  chance(probability: number): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.next() < probability;
  }

  fill(out: Uint8Array): void {
    for (let i = 0; i < out.length; i++) out[i] = this.next32() >>> 24;
  }

  bytes(lengthBytes: number): Uint8Array {
    const out = new Uint8Array(lengthBytes);
    this.fill(out);
    return out;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(items.length)]!;
  }

  /** Returns a separate generator, so that draws of one part do not shift the numbers of another part. */
  fork(): SeededRandom {
    return new SeededRandom(this.next32());
  }
}

const WARM_UP_ROUNDS = 12;
