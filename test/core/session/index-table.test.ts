import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment } from '../../../src/core/ports.js';
import { IndexTable } from '../../../src/core/session/index-table.js';
import { seededEnvironment } from '../seeded-environment.js';

describe('IndexTable', () => {
  it('finds an entry by the index that it was given, and no longer after its release', () => {
    const table = new IndexTable<object>(seededEnvironment());
    const entries = Array.from({ length: 1_000 }, (_, i) => ({ i }));
    const indices = entries.map((entry) => table.allocate(entry));
    assert.equal(new Set(indices).size, 1_000);
    assert.equal(table.size, 1_000);
    for (const [i, index] of indices.entries()) assert.equal(table.get(index), entries[i]);

    table.release(indices[7]);
    assert.equal(table.get(indices[7]), undefined);
    assert.equal(table.size, 999);
    table.release(indices[7]);
    assert.equal(table.size, 999);
  });

  it('draws indices from all of 32 bits, as int32', () => {
    const table = new IndexTable<object>(seededEnvironment());
    const bits = { anySet: 0, allSet: -1 };
    for (let i = 0; i < 1_000; i++) {
      const index = table.allocate({});
      assert.equal(index, index | 0);
      bits.anySet |= index;
      bits.allSet &= index;
    }
    assert.deepEqual(bits, { anySet: -1, allSet: 0 });
  });

  it('draws again when an index is taken', () => {
    const table = new IndexTable<object>(scripted([1, 1, 1, 2]));
    const [first, second] = [{}, {}];
    const index = table.allocate(first);
    const other = table.allocate(second);
    assert.notEqual(index, other);
    assert.equal(table.get(index), first);
    assert.equal(table.get(other), second);
  });

  it('lets an index stand for something else: first a handshake, then its keypair', () => {
    const table = new IndexTable<object>(seededEnvironment());
    const [before, after] = [{}, {}];
    const index = table.allocate(before);
    table.replace(index, after);
    assert.equal(table.get(index), after);
    assert.equal(table.size, 1);
  });

  it('crashes when an index is replaced that nobody has, or the random source is broken', () => {
    assert.throws(() => new IndexTable<object>(seededEnvironment()).replace(5, {}), /not allocated/);

    const table = new IndexTable<object>(scripted(new Array(1_000).fill(3)));
    table.allocate({});
    assert.throws(() => table.allocate({}), /repeats/);
  });
});

/** Fills each request with the next byte of a script. */
function scripted(bytes: number[]): Environment {
  return { random: (out) => void out.fill(bytes.shift()!), unixTimeMs: () => 0 };
}
