/** Bytes of one block. A flow holds whole blocks, so a small one keeps what an active flow wastes small. */
export const BLOCK_BYTES = 16_384;
const BLOCKS_PER_SLAB = 64;
/** A stack of a few connections has slabs of a few blocks. */
const BLOCKS_OF_FIRST_SLAB = 4;

/** One allocation, cut into blocks. */
interface Slab {
  readonly blocks: number;
  readonly free: Uint8Array[];
}

/**
 * Memory for the payload of all flows: blocks of one size out of slabs of up to a megabyte, and a budget over all of them.
 *
 * Slabs are allocated when they are needed, and dropped when all of their blocks are free, but for a megabyte: after a crowd of flows has
 * had its moment, its memory goes back to the system. A flow without bytes in flight or unread holds no block.
 */
export class BlockPool {
  /** The oldest first, which are filled first, so that the newest become free. */
  readonly #slabs: Slab[] = [];
  readonly #slabOf = new Map<ArrayBufferLike, Slab>();
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

  /** Bytes of the slabs that are there, in use or not. */
  get allocatedBytes(): number {
    return this.#blocks * BLOCK_BYTES;
  }

  /** @returns `undefined` when the budget is spent. The bytes are those of the last user. */
  take(): Uint8Array | undefined {
    if (this.#used === this.#maxBlocks) return undefined;
    const slab = this.#slabWithRoom() ?? this.#addSlab();
    this.#used++;
    return slab.free.pop();
  }

  /** @param block From `take`. */
  give(block: Uint8Array): void {
    const slab = this.#slabOf.get(block.buffer)!;
    this.#used--;
    slab.free.push(block);
    const isSpare = this.#blocks - this.#used >= slab.blocks + BLOCKS_PER_SLAB;
    if (slab.free.length === slab.blocks && isSpare) this.#dropSlab(slab, block.buffer);
  }

  #slabWithRoom(): Slab | undefined {
    for (const slab of this.#slabs) if (slab.free.length > 0) return slab;
    return undefined;
  }

  #addSlab(): Slab {
    const wanted = Math.min(BLOCKS_PER_SLAB, Math.max(BLOCKS_OF_FIRST_SLAB, this.#blocks));
    const blocks = Math.min(wanted, this.#maxBlocks - this.#blocks);
    const bytes = new Uint8Array(blocks * BLOCK_BYTES);
    const free: Uint8Array[] = [];
    for (let i = blocks - 1; i >= 0; i--) free.push(bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
    const slab = { blocks, free };
    this.#slabs.push(slab);
    this.#slabOf.set(bytes.buffer, slab);
    this.#blocks += blocks;
    return slab;
  }

  #dropSlab(slab: Slab, buffer: ArrayBufferLike): void {
    this.#slabs.splice(this.#slabs.indexOf(slab), 1);
    this.#slabOf.delete(buffer);
    this.#blocks -= slab.blocks;
  }
}
