import { ADDRESS_WORDS, addressEquals } from '../address.js';

/** Whatever owns a pair of addresses and ports: a connection, a half-open one, a record in TIME-WAIT. */
export interface FlowEntry {
  readonly local: Int32Array;
  readonly remote: Int32Array;
  readonly localPort: number;
  readonly remotePort: number;
}

const EMPTY = -1;
const INITIAL_SLOTS = 64;
const MULTIPLIER = 0x9e37_79b1 | 0;

/**
 * Connections by their two ends: a hash table with open addressing, whose look-up allocates nothing.
 *
 * The hash has a random key, so that a peer cannot choose ports that collide.
 */
export class FlowTable<Entry extends FlowEntry> {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #freeEntries: number[] = [];
  #slots = new Int32Array(INITIAL_SLOTS).fill(EMPTY);
  readonly #key: Int32Array;
  #size = 0;

  /** @param random Fills an array with random bytes. */
  constructor(random: (out: Uint8Array) => void) {
    const key = new Uint8Array(4 * (2 * ADDRESS_WORDS + 1));
    random(key);
    this.#key = new Int32Array(key.buffer);
  }

  get size(): number {
    return this.#size;
  }

  get(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): Entry | undefined {
    const slot = this.#find(local, localPort, remote, remotePort);
    return slot < 0 ? undefined : this.#entries[this.#slots[slot]];
  }

  /** The pair of ends is not in the table yet. */
  add(entry: Entry): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    const number = this.#freeEntries.pop() ?? this.#entries.length;
    this.#entries[number] = entry;
    this.#place(entry, number);
    this.#size++;
  }

  /** Puts `next` in the place of `entry`: both have the same two ends. */
  replace(entry: Entry, next: Entry): void {
    const slot = this.#slotOf(entry);
    if (slot >= 0) this.#entries[this.#slots[slot]] = next;
  }

  delete(entry: Entry): void {
    let hole = this.#slotOf(entry);
    if (hole < 0) return;
    const number = this.#slots[hole];
    this.#entries[number] = undefined;
    this.#freeEntries.push(number);
    this.#size--;
    this.#slots[hole] = EMPTY;
    // Entries behind the hole move up as far as their own slot allows, so that no search ends too early.
    const mask = this.#slots.length - 1;
    for (let next = (hole + 1) & mask; this.#slots[next] !== EMPTY; next = (next + 1) & mask) {
      const wanted = this.#hashOf(this.#entries[this.#slots[next]]!) & mask;
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
      this.#slots[hole] = this.#slots[next];
      this.#slots[next] = EMPTY;
      hole = next;
    }
  }

  *values(): IterableIterator<Entry> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }

  #slotOf(entry: Entry): number {
    const slot = this.#find(entry.local, entry.localPort, entry.remote, entry.remotePort);
    return slot >= 0 && this.#entries[this.#slots[slot]] === entry ? slot : -1;
  }

  #find(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(local, localPort, remote, remotePort) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot];
      if (number === EMPTY) return -1;
      const entry = this.#entries[number]!;
      const isSame =
        entry.localPort === localPort &&
        entry.remotePort === remotePort &&
        addressEquals(entry.remote, 0, remote, 0) &&
        addressEquals(entry.local, 0, local, 0);
      if (isSame) return slot;
    }
  }

  #place(entry: Entry, number: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(entry) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = number;
  }

  #grow(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(EMPTY);
    for (let number = 0; number < this.#entries.length; number++) {
      const entry = this.#entries[number];
      if (entry !== undefined) this.#place(entry, number);
    }
  }

  #hashOf({ local, localPort, remote, remotePort }: Entry): number {
    return this.#hash(local, localPort, remote, remotePort);
  }

  #hash(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): number {
    const key = this.#key;
    let hash = mix(key[0], (localPort << 16) | remotePort);
    for (let i = 0; i < ADDRESS_WORDS; i++) {
      hash = mix(hash ^ key[1 + i], remote[i]);
      hash = mix(hash ^ key[1 + ADDRESS_WORDS + i], local[i]);
    }
    return hash ^ (hash >>> 15);
  }
}

function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, MULTIPLIER);
  return (product ^ (product >>> 15)) | 0;
}
