import { REJECT_AFTER_MESSAGES_HIGH, REJECT_AFTER_MESSAGES_LOW } from '../constants.js';

/**
 * Accepts each transport data counter at most once and tolerates reordering.
 *
 * One bit per counter, in a ring of 32-bit blocks that is cleared block by block as the window
 * moves, so that nothing is ever shifted. Counters are two 32-bit halves, exact up to 2^64.
 *
 * The ring takes a kilobyte and is allocated when a counter leaves the first block: a session that only
 * carries keepalives never needs it.
 *
 * Source: RFC 6479; use in WireGuard: whitepaper §5.4.6.
 */
export class ReplayWindow {
  /** The block of counters 0 to 31, until there is a ring. */
  #firstBlock = 0;
  #ring: Int32Array | undefined;
  #greatestHigh = 0;
  #greatestLow = 0;

  /**
   * Records a counter as received.
   *
   * Must be called only after the packet's tag was verified: a forged counter must not move the window.
   *
   * @param high Upper half of the counter, signed or unsigned.
   * @param low Lower half.
   * @returns `false` if the counter was seen before, lies behind the window, or has reached
   *   REJECT_AFTER_MESSAGES. The caller then drops the packet.
   */
  accept(high: number, low: number): boolean {
    const high32 = high >>> 0;
    const low32 = low >>> 0;
    if (high32 === REJECT_AFTER_MESSAGES_HIGH && low32 >= REJECT_AFTER_MESSAGES_LOW) return false;

    // Rounded when the counters are far apart, but never across 0 or the size of the window.
    const ahead = (high32 - this.#greatestHigh) * 2 ** 32 + (low32 - this.#greatestLow);
    if (ahead < -REPLAY_WINDOW_SIZE) return false;
    if (ahead > 0) this.#moveTo(high32, low32, ahead);
    return this.#mark(low32);
  }

  /** @returns `false` if the bit was set already. */
  #mark(low: number): boolean {
    const bit = 1 << (low & BIT_MASK);
    if (this.#ring === undefined) {
      if (this.#firstBlock & bit) return false;
      this.#firstBlock |= bit;
      return true;
    }
    const block = ringIndex(low);
    if (this.#ring[block] & bit) return false;
    this.#ring[block] |= bit;
    return true;
  }

  #moveTo(high: number, low: number, ahead: number): void {
    if (high !== 0 || low >= BLOCK_BITS) this.#enterBlocks(ahead);
    this.#greatestHigh = high;
    this.#greatestLow = low;
  }

  /** Clears the blocks between the greatest counter so far and the one that is `ahead` of it. */
  #enterBlocks(ahead: number): void {
    this.#ring ??= this.#makeRing();
    const bitsIntoBlock = (this.#greatestLow & BIT_MASK) + ahead;
    const entered = Math.min(Math.floor(bitsIntoBlock / BLOCK_BITS), BLOCKS);
    const first = ringIndex(this.#greatestLow) + 1;
    for (let i = 0; i < entered; i++) this.#ring[(first + i) & RING_MASK] = 0;
  }

  #makeRing(): Int32Array {
    const ring = new Int32Array(BLOCKS);
    ring[0] = this.#firstBlock;
    return ring;
  }
}

/** How far behind the greatest counter a packet may be, in packets. */
export const REPLAY_WINDOW_SIZE = 8_128;

const BLOCK_BITS = 32;
/** A power of two, see RING_MASK. A window may touch 255 blocks. */
const BLOCKS = 256;
const BIT_MASK = BLOCK_BITS - 1;
const RING_MASK = BLOCKS - 1;

/** The upper half of a counter makes no difference to its place, since the ring's bits divide 2^32. */
function ringIndex(low: number): number {
  return (low >>> 5) & RING_MASK;
}
