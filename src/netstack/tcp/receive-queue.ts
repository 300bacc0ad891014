import { BLOCK_BYTES, type BlockPool } from '../block-pool.js';
import { ByteRanges } from '../byte-ranges.js';
import { MAX_OUT_OF_ORDER_RANGES } from '../constants.js';

/**
 * Bytes that a peer sent: those in order, which the program may read, and those that arrived ahead of a gap.
 *
 * Offsets count from the first byte of the stream. Every byte lies in the block of its offset, so filling a gap copies
 * nothing but the bytes that fill it.
 *
 * ```text
 *      read        inOrder
 *       ▼             ▼
 * ......|=============|      |=====|    |==|
 *        unread         gap   ranges
 * ```
 */
export class ReceiveQueue {
  /** Ranges that arrived ahead of a gap. */
  readonly ranges = new ByteRanges();
  readonly #pool: BlockPool;
  /** By block number − `#firstBlock`; `undefined` where no byte has arrived. */
  readonly #blocks: (Uint8Array | undefined)[] = [];
  #firstBlock = 0;
  #read = 0;
  #inOrder = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Offset of the first byte that has not arrived. */
  get inOrder(): number {
    return this.#inOrder;
  }

  get unread(): number {
    return this.#inOrder - this.#read;
  }

  /**
   * Stores bytes at an offset at or behind `inOrder`, within what the window allows.
   *
   * @returns `false` if nothing was kept: too many gaps, or the pool's budget is spent.
   */
  insert(offset: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (offset > this.#inOrder && !this.#hasRoomForRange(offset, length)) return false;
    if (!this.#store(offset, bytes, at, length)) return false;
    if (offset > this.#inOrder) {
      this.ranges.add(offset, offset + length);
      return true;
    }
    this.#inOrder = Math.max(this.#inOrder, offset + length);
    for (let end = this.ranges.takeThrough(this.#inOrder); end >= 0; end = this.ranges.takeThrough(this.#inOrder))
      this.#inOrder = Math.max(this.#inOrder, end);
    return true;
  }

  /** Copies out what is in order, as far as `into` holds it. @returns Bytes copied. */
  read(into: Uint8Array, at: number, length: number): number {
    const count = Math.min(length, this.unread);
    for (let done = 0; done < count; ) {
      const inBlock = this.#read % BLOCK_BYTES;
      const part = Math.min(count - done, BLOCK_BYTES - inBlock);
      const block = this.#blocks[0]!;
      into.set(block.subarray(inBlock, inBlock + part), at + done);
      done += part;
      this.#read += part;
      if (this.#read % BLOCK_BYTES === 0) this.#freeFirstBlock();
    }
    if (this.unread === 0 && this.ranges.count === 0) this.#freeBlocks();
    return count;
  }

  clear(): void {
    this.#freeBlocks();
    this.ranges.clear();
    this.#read = this.#inOrder;
  }

  /**
   * A segment that begins one range too many is refused. What is kept was reported by SACK, so dropping any of it would leave a
   * hole that the peer does not know of (RFC 2018 §8).
   */
  #hasRoomForRange(offset: number, length: number): boolean {
    const { ranges } = this;
    return ranges.count < MAX_OUT_OF_ORDER_RANGES || ranges.touches(offset, offset + length);
  }

  #store(offset: number, bytes: Uint8Array, at: number, length: number): boolean {
    for (let done = 0; done < length; ) {
      const to = offset + done;
      const inBlock = to % BLOCK_BYTES;
      const part = Math.min(length - done, BLOCK_BYTES - inBlock);
      const block = this.#blockOf(to);
      if (block === undefined) return false;
      block.set(bytes.subarray(at + done, at + done + part), inBlock);
      done += part;
    }
    return true;
  }

  #blockOf(offset: number): Uint8Array | undefined {
    if (this.#blocks.length === 0) this.#firstBlock = Math.floor(this.#read / BLOCK_BYTES);
    const index = Math.floor(offset / BLOCK_BYTES) - this.#firstBlock;
    while (this.#blocks.length <= index) this.#blocks.push(undefined);
    const existing = this.#blocks[index];
    if (existing !== undefined) return existing;
    const block = this.#pool.take();
    this.#blocks[index] = block;
    return block;
  }

  #freeFirstBlock(): void {
    const block = this.#blocks.shift();
    if (block !== undefined) this.#pool.give(block);
    this.#firstBlock++;
  }

  #freeBlocks(): void {
    for (const block of this.#blocks.splice(0)) if (block !== undefined) this.#pool.give(block);
  }
}
