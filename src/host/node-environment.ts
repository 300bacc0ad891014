import { randomFillSync } from 'node:crypto';

import type { Environment } from '../core/ports.js';

/**
 * Fetching random bytes costs microseconds, however few they are: one handshake's worth is fetched at once (an ephemeral
 * key and an index), and no more. Two copies of a virtual machine draw the same bytes until their pools are empty.
 */
const POOL_BYTES = 64;
/** Longer requests bypass the pool. */
const MAX_POOLED_BYTES = 32;

/** Random bytes that are fetched in advance. Each byte is given out once and overwritten. */
class RandomPool {
  readonly #bytes = new Uint8Array(POOL_BYTES);
  #at = POOL_BYTES;

  fill(out: Uint8Array): void {
    if (out.length > MAX_POOLED_BYTES) {
      randomFillSync(out);
      return;
    }
    if (this.#at + out.length > POOL_BYTES) this.#refill();
    for (let i = 0; i < out.length; i++) out[i] = this.#bytes[this.#at + i]!;
    this.#bytes.fill(0, this.#at, this.#at + out.length);
    this.#at += out.length;
  }

  #refill(): void {
    randomFillSync(this.#bytes);
    this.#at = 0;
  }
}

const pool = new RandomPool();

/** Randomness and wall clock of the running process. */
export const nodeEnvironment: Environment = {
  random: (out) => pool.fill(out),
  unixTimeMs: () => Date.now(),
};
