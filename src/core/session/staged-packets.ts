import { MAX_STAGED_PACKETS } from '../constants.js';
import type { ByteBudget } from './byte-budget.js';
import { PacketRing } from './packet-ring.js';

const SHORTEST_RING_BYTES = 256;
/** The memory of a ring beside the packets' bytes. */
const RING_OVERHEAD_BYTES = 512;

/** The outcome of staging a packet. */
export type StagingOutcome = 'kept' | 'kept-for-oldest' | 'refused';

/**
 * Packets that wait for a session with their peer, oldest first.
 *
 * Holds copies, since the batch that a packet came in is filled again at once. The memory is allocated lazily, counts
 * against a budget that all peers of a device share, and is freed when nothing waits.
 */
export class StagedPackets {
  readonly #budget: ByteBudget;
  #ring: PacketRing | undefined;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  get count(): number {
    return this.#ring?.count ?? 0;
  }

  /** Bytes of the oldest packet; 0 if there is none. */
  peekLength(): number {
    return this.#ring?.headLength ?? 0;
  }

  /** The outer traffic class of the oldest packet; 0 if there is none. */
  get headTrafficClass(): number {
    return this.#ring?.headTrafficClass ?? 0;
  }

  /**
   * Copies a packet.
   *
   * @returns `kept-for-oldest` if 128 packets waited and the oldest made room; `refused` if the budget is spent.
   */
  push(bytes: Uint8Array, offset: number, length: number, trafficClass: number): StagingOutcome {
    const isFull = this.count === MAX_STAGED_PACKETS;
    const oldestBytes = isFull ? this.peekLength() : 0;
    const ring = this.#ringWithRoom(length - oldestBytes);
    if (ring === undefined) return 'refused';
    if (isFull) ring.dropHead();
    ring.push(bytes, offset, length, trafficClass);
    return isFull ? 'kept-for-oldest' : 'kept';
  }

  /** Moves the oldest packet to `at` of `bytes`. @returns Its length; 0 if there was none. */
  shiftInto(bytes: Uint8Array, at: number): number {
    const length = this.peekLength();
    if (this.#ring === undefined) return length;
    this.#ring.copyHead(bytes, at);
    this.#ring.dropHead();
    if (this.#ring.count === 0) this.clear();
    return length;
  }

  /** @returns The number of dropped packets. */
  clear(): number {
    if (this.#ring === undefined) return 0;
    const { count, capacityBytes } = this.#ring;
    this.#budget.giveBack(capacityBytes + RING_OVERHEAD_BYTES);
    this.#ring = undefined;
    return count;
  }

  /** @returns `undefined` if the budget does not allow for `bytes` more. */
  #ringWithRoom(bytes: number): PacketRing | undefined {
    const neededBytes = (this.#ring?.usedBytes ?? 0) + bytes;
    const capacityBytes = this.#ring?.capacityBytes ?? 0;
    if (neededBytes <= capacityBytes) return this.#ring;
    const longerBytes = Math.max(neededBytes, 2 * capacityBytes, SHORTEST_RING_BYTES);
    const overheadBytes = this.#ring === undefined ? RING_OVERHEAD_BYTES : 0;
    if (!this.#budget.take(longerBytes - capacityBytes + overheadBytes)) return undefined;
    if (this.#ring === undefined) this.#ring = new PacketRing(longerBytes);
    else this.#ring.growTo(longerBytes);
    return this.#ring;
  }
}
