import type { Crypto } from '../core/ports.js';

/**
 * The one processor of a node: work takes virtual time, so that a flood has a price.
 *
 * An idle processor accumulates no credit. Work that fits into the current millisecond
 * causes no delay.
 */
export class Processor {
  readonly #hasCosts: boolean;
  #freeAtUs = 0;

  /** @param hasCosts `false`: infinitely fast. */
  constructor(hasCosts: boolean) {
    this.#hasCosts = hasCosts;
  }

  /** Spends virtual time from `nowMs` on, or from the end of earlier work on. */
  charge(costUs: number, nowMs: number): void {
    if (this.#hasCosts) this.#freeAtUs = Math.max(this.#freeAtUs, nowMs * 1_000) + costUs;
  }

  /** Returns the millisecond in which the processor is free again; at most `nowMs` while it is free. */
  freeAtMs(nowMs: number): number {
    return Math.max(Math.floor(this.#freeAtUs / 1_000), nowMs);
  }
}

/** Costs of a small server with the addon, in µs. A datagram or packet must be moved and looked up. */
export const ROW_COST_US = 1;
const PRIMITIVE_COST_US = 2;
const COSTS_US: ReadonlyMap<PropertyKey, number> = new Map([
  ['x25519', 35],
  ['x25519PublicKey', 27],
  ['xSeal', 4],
  ['xOpen', 4],
]);

/** Forwards every call to `crypto`, and reports its cost. */
export function meteredCrypto(crypto: Crypto, charge: (costUs: number) => void): Crypto {
  return new Proxy(crypto, {
    get(target, name): unknown {
      const primitive: unknown = Reflect.get(target, name);
      if (typeof primitive !== 'function') return primitive;
      return (...args: readonly unknown[]): unknown => {
        charge(COSTS_US.get(name) ?? PRIMITIVE_COST_US);
        return primitive.apply(target, args);
      };
    },
  });
}
