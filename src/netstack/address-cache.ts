import { ADDRESS_WORDS, addressEquals } from './address.js';

const SLOTS = 256;
const MULTIPLIER = 0x9e37_79b1 | 0;

/**
 * Addresses that connections have in common: one array each for as long as its slot is not taken by another address.
 *
 * A typed array costs 250 bytes in V8, half as much as all numbers of a connection, and most connections of a host share
 * both of their addresses with others.
 */
export class AddressCache {
  readonly #addresses: Int32Array[] = [];

  /** @returns An array with the words of `address`, which nobody changes. */
  shared(address: Int32Array): Int32Array {
    const slot = slotOf(address);
    const known = this.#addresses[slot];
    if (known !== undefined && addressEquals(known, 0, address, 0)) return known;
    const copy = address.slice();
    this.#addresses[slot] = copy;
    return copy;
  }
}

function slotOf(address: Int32Array): number {
  let hash = 0;
  for (let i = 0; i < ADDRESS_WORDS; i++) hash = Math.imul(hash ^ address[i], MULTIPLIER);
  return (hash >>> 16) & (SLOTS - 1);
}
