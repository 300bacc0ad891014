import { ADDRESS_WORDS } from '../address.js';
import type { NetstackEnvironment } from '../ports.js';

const COUNTERS = 256;

/**
 * Identification of datagrams that are cut: it starts at an unpredictable place for each pair of addresses and counts up, so that it
 * repeats as late as its field admits, and a stranger learns nothing about other destinations.
 *
 * Source: RFC 7739 §5.3; RFC 6864 §4.2.
 */
export class Identifications {
  readonly #environment: NetstackEnvironment;
  /** A pair of addresses has one of these: what others count does not show how much goes where. */
  readonly #counters = new Int32Array(COUNTERS);
  readonly #words = new Int32Array(1 + 2 * ADDRESS_WORDS);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(environment: NetstackEnvironment) {
    this.#environment = environment;
  }

  /** Returns 32 bits; IPv4 takes the lower half. */
  next(source: Int32Array, destination: Int32Array): number {
    this.#words[0] = PURPOSE;
    this.#words.set(source, 1);
    this.#words.set(destination, 1 + ADDRESS_WORDS);
    const hash = this.#environment.keyedHash(this.#bytes);
    return (hash + this.#counters[hash & (COUNTERS - 1)]++) | 0;
  }
}

/** Keeps this use of the keyed hash apart from those for sequence numbers, stamps and ports. */
const PURPOSE = 4;
