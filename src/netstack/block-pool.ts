/** Bytes of one block. A flow holds whole blocks, so a small one keeps what an active flow wastes small. */
export const BLOCK_BYTES = 16_384;
const BLOCKS_PER_SLAB = 64;

/**
 * Memory for the payload of all flows: blocks of one size out of slabs of a megabyte, and a budget over all of them.
 *
 * Slabs are allocated lazily and kept. A flow without bytes in flight or unread holds no block.
 */
export class BlockPool {
  readonly #free: Uint8Array[] = [];
  readonly #maxBlocks: number;
  #blocks = 0;
  #used = 0;

  /** @param budgetBytes What all flows together may hold. */
  constructor(budgetBytes: number) {
    this.#maxBlocks = Math.max(Math.floor(budgetBytes / BLOCK_BYTES), 1);
  }

  get usedBytes(): number {
    return this.#used * BLOCK_BYTES;
  }

  get freeBytes(): number {
    return (this.#maxBlocks - this.#used) * BLOCK_BYTES;
  }

  /** @returns `undefined` when the budget is spent. The bytes are those of the last user. */
  take(): Uint8Array | undefined {
    if (this.#used === this.#maxBlocks) return undefined;
    if (this.#free.length === 0) this.#addSlab();
    this.#used++;
    return this.#free.pop();
  }

  give(block: Uint8Array): void {
    this.#used--;
    this.#free.push(block);
  }

  #addSlab(): void {
    const count = Math.min(BLOCKS_PER_SLAB, this.#maxBlocks - this.#blocks);
    const slab = new Uint8Array(count * BLOCK_BYTES);
    for (let i = count - 1; i >= 0; i--) this.#free.push(slab.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
    this.#blocks += count;
  }
}
