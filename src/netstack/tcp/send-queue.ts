import { BLOCK_BYTES, type BlockPool } from '../block-pool.js';
import type { SuperSegment } from '../segments/segmenter.js';

/**
 * Bytes that a program wrote and the peer has not acknowledged, oldest first.
 *
 * Offsets count from the first byte, which is the one at SND.UNA. Bytes are copied in once, and copied out for each
 * transmission, so that the program's own buffer is free as soon as `append` returned.
 */
export class SendQueue {
  readonly #pool: BlockPool;
  readonly #blocks: Uint8Array[] = [];
  /** Where the first byte lies in the first block. */
  #head = 0;
  #length = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  get length(): number {
    return this.#length;
  }

  /** @returns Bytes taken, fewer than `length` when the pool's budget is spent. */
  append(bytes: Uint8Array, at: number, length: number): number {
    let taken = 0;
    while (taken < length) {
      const end = this.#head + this.#length;
      const inBlock = end % BLOCK_BYTES;
      if (end === this.#blocks.length * BLOCK_BYTES && !this.#addBlock()) break;
      const part = Math.min(length - taken, BLOCK_BYTES - inBlock);
      const block = this.#blocks[Math.floor(end / BLOCK_BYTES)];
      block.set(bytes.subarray(at + taken, at + taken + part), inBlock);
      taken += part;
      this.#length += part;
    }
    return taken;
  }

  /** Makes `length` bytes from `offset` on the payload of `run`. The caller stays within the queue. */
  lend(offset: number, length: number, run: SuperSegment): void {
    run.locate(this.#blocks, this.#head + offset, length);
  }

  /** Frees the first `length` bytes: the peer has them. */
  drop(length: number): void {
    this.#head += length;
    this.#length -= length;
    while (this.#head >= BLOCK_BYTES) {
      this.#head -= BLOCK_BYTES;
      this.#pool.give(this.#blocks.shift()!);
    }
    if (this.#length === 0) this.clear();
  }

  clear(): void {
    for (const block of this.#blocks.splice(0)) this.#pool.give(block);
    this.#head = 0;
    this.#length = 0;
  }

  #addBlock(): boolean {
    const block = this.#pool.take();
    if (block === undefined) return false;
    this.#blocks.push(block);
    return true;
  }
}
