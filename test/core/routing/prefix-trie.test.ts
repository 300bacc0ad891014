import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { maskHostBits, NO_NODE, PrefixTrie } from '../../../src/core/routing/prefix-trie.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';

/** Tests of the trie's nodes. Look-ups are tested through `AllowedIps`. */
describe('PrefixTrie', () => {
  it('gives every node back when its prefix is removed, in any order', () => {
    const random = new SeededRandom(3);
    const trie = new PrefixTrie();
    let nodesUsed = 0;
    for (let round = 0; round < 5; round++) {
      const nodes = new Set<number>();
      for (let i = 0; i < 500; i++) nodes.add(insertRandom(trie, random));
      if (round === 0) nodesUsed = trie.nodeCount;
      const inRandomOrder = [...nodes].sort(() => random.next() - 0.5);
      for (const node of inRandomOrder) trie.remove(node);
    }
    assert.ok(trie.nodeCount < 1.1 * nodesUsed, `${trie.nodeCount} nodes, ${nodesUsed} after the first round`);
  });

  it('needs at most one fork per prefix', () => {
    const random = new SeededRandom(4);
    const trie = new PrefixTrie();
    for (let i = 0; i < 500; i++) insertRandom(trie, random);
    assert.ok(trie.nodeCount <= 2 * 500, `${trie.nodeCount} nodes`);
  });

  it('does not call a fork a prefix', () => {
    const trie = new PrefixTrie();
    trie.insert(false, Int32Array.of(0x0a00_0000, 0, 0, 0), 32);
    trie.insert(false, Int32Array.of(0x0a00_0001, 0, 0, 0), 32);
    assert.equal(trie.find(false, Int32Array.of(0x0a00_0000, 0, 0, 0), 31), NO_NODE);
    assert.equal(trie.lookup(false, 0x0a00_0002, 0, 0, 0), NO_NODE);
  });

  it('clears the bits behind a prefix of any length', () => {
    for (let length = 0; length <= 128; length++) {
      const address = Int32Array.of(-1, -1, -1, -1);
      maskHostBits(address, length);
      const bits = [...address].map((word) => (word >>> 0).toString(2).padStart(32, '0')).join('');
      assert.equal(bits, '1'.repeat(length).padEnd(128, '0'));
    }
  });
});

function insertRandom(trie: PrefixTrie, random: SeededRandom): number {
  const isIpv6 = random.chance(0.5);
  const address = new Int32Array(4);
  for (let word = 0; word < (isIpv6 ? 4 : 1); word++) address[word] = random.chance(0.3) ? 0 : random.next32();
  const length = random.integer((isIpv6 ? 128 : 32) + 1);
  maskHostBits(address, length);
  return trie.insert(isIpv6, address, length);
}
