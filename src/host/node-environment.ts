import { randomFillSync } from 'node:crypto';

import type { Environment } from '../core/ports.js';

/**
 * Each request for random bytes costs microseconds, so the bytes for one handshake (an ephemeral key and an index) are
 * fetched at once. No more are fetched, since copies of a virtual machine draw the same bytes from their pools.
 */
const POOL_BYTES = 64;
/** Longer requests bypass the pool. */
const MAX_POOLED_BYTES = 32;

/** Random bytes that are fetched in advance. Each byte is returned once and overwritten. */
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
