/** The memory of flows: within a budget, and given back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { BlockPool } from '../../src/netstack/block-pool.js';

const BLOCK = 16_384;
const SLAB = 64 * BLOCK;

describe('The pool of blocks', () => {
  it('hands out whole blocks until the budget is spent, and none twice', () => {
    const pool = new BlockPool(100 * BLOCK + 5);

    const blocks = takeAll(pool);

    assert.equal(blocks.length, 100);
    assert.ok(blocks.every(({ length }) => length === BLOCK));
    assert.equal(new Set(blocks.map(({ buffer, byteOffset }) => `${slabName(buffer)} ${byteOffset}`)).size, 100);
    assert.deepEqual([pool.usedBytes, pool.freeBytes], [100 * BLOCK, 0]);
    assert.equal(pool.allocatedBytes, 100 * BLOCK);
  });

  it('allocates nothing before it is asked, and little for few', () => {
    const pool = new BlockPool(10 * SLAB);
    assert.equal(pool.allocatedBytes, 0);
    for (const expected of [4, 4, 4, 4, 8, 8, 8, 8, 16]) {
      pool.take();
      assert.equal(pool.allocatedBytes, expected * BLOCK);
    }
  });

  it('gives back what a crowd has used, but for about a megabyte', () => {
    const pool = new BlockPool(10 * SLAB);
    const blocks = takeAll(pool);

    for (const block of blocks) pool.give(block);

    assert.equal(pool.usedBytes, 0);
    assert.ok(pool.allocatedBytes >= SLAB && pool.allocatedBytes < 2 * SLAB, `${pool.allocatedBytes} bytes`);
    assert.equal(takeAll(pool).length, 640, 'the budget is what it was');
  });

  it('gives nothing back while a flow goes on and off', () => {
    const pool = new BlockPool(10 * SLAB);
    const [, last] = [Array.from({ length: 64 }, () => pool.take()!), pool.take()!];
    const before = pool.allocatedBytes;

    pool.give(last);

    assert.equal(pool.allocatedBytes, before);
  });

  it('fills the oldest slab first, so that few that stay hold few slabs', () => {
    const pool = new BlockPool(10 * SLAB);
    const blocks = takeAll(pool);
    pool.give(blocks.at(-1)!);
    pool.give(blocks[0]!);

    assert.equal(pool.take()!.buffer, blocks[0]!.buffer);
  });
});

function takeAll(pool: BlockPool): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let block = pool.take(); block !== undefined; block = pool.take()) blocks.push(block);
  return blocks;
}

const names = new Map<ArrayBufferLike, number>();
function slabName(buffer: ArrayBufferLike): number {
  if (!names.has(buffer)) names.set(buffer, names.size);
  return names.get(buffer)!;
}
