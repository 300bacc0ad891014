import { copyEndpoint, Endpoint } from '../../wire/endpoint.js';
import type { Counters } from '../packets/counters.js';
import type { HandshakeRejection } from './handshake-rejection.js';

/** The last refusal of a kind whose sender is uncertain. */
export interface Refusal {
  atMs: number;
  readonly from: Endpoint;
}

/** Counts refused handshake messages, and remembers the last one of each kind for `explain`. */
export class RefusalLog {
  readonly #counters: Counters;
  readonly #last = new Map<HandshakeRejection, Refusal>();

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Counts a refusal of a message from the endpoint record at `at` (in words). */
  note(rejection: HandshakeRejection, endpointWords: Int32Array, at: number, nowMs: number): void {
    this.#counters.countRejection(rejection);
    const refusal = this.#refusalOf(rejection);
    refusal.atMs = nowMs;
    copyEndpoint(endpointWords, at, refusal.from.words, 0);
  }

  /** Returns the last refusal of each kind. */
  entries(): IterableIterator<[HandshakeRejection, Refusal]> {
    return this.#last.entries();
  }

  /** Returns the one object of a kind, which is reused since refusals may arrive by the thousand. */
  #refusalOf(rejection: HandshakeRejection): Refusal {
    let refusal = this.#last.get(rejection);
    if (refusal === undefined) {
      refusal = { atMs: 0, from: new Endpoint() };
      this.#last.set(rejection, refusal);
    }
    return refusal;
  }
}
