import type { Environment } from './ports.js';

const BUFFERED_WORDS = 64;

/** Uniform numbers in [0, 1), for jitter. Buffered: ping-pong traffic draws one number per turn. */
export class RandomFractions {
  readonly #environment: Environment;
  readonly #words = new Uint32Array(BUFFERED_WORDS);
  #left = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  readonly next = (): number => {
    if (this.#left === 0) {
      this.#environment.random(new Uint8Array(this.#words.buffer));
      this.#left = BUFFERED_WORDS;
    }
    return this.#words[--this.#left] / 2 ** 32;
  };
}
