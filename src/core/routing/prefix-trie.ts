/**
 * A path-compressed binary trie of address prefixes, in typed arrays.
 *
 * It has two roots, one for IPv4 and one for IPv6, over one set of nodes, so that a node's number names a
 * prefix of either family. IPv4 addresses use the first of the four address words. A node is *marked* if its
 * prefix was inserted; the others exist because two branches part. Every node without a mark has two children.
 *
 * ```text
 *  word of a node   0 and 1                     2                               3
 *                   children, by the next bit   prefix length, marked?, IPv6?   first word of the address
 * ```
 *
 * The other three words of IPv6 addresses are kept apart: a lookup that stays among forks and short prefixes
 * does not touch them, so that more nodes fit into the processor's cache.
 *
 * Node numbers stay the same while a prefix is in the trie. Nothing is allocated by `lookup`.
 */
export class PrefixTrie {
  #nodes = new Int32Array(INITIAL_NODES * NODE_WORDS);
  #tails = new Int32Array(INITIAL_NODES * TAIL_WORDS);
  /** Nodes in use or free, NO_NODE included. */
  #nodeCount = 1;
  /** Free nodes, each naming the next one as its first child. */
  #firstFree = NO_NODE;
  #root4 = NO_NODE;
  #root6 = NO_NODE;

  /** Numbers of nodes are less than this. */
  get nodeCount(): number {
    return this.#nodeCount;
  }

  /**
   * Finds the longest prefix of an address.
   *
   * Branches by single bits, and compares at marked nodes only: where a fork is no prefix of the address, its
   * branches are no prefixes either.
   *
   * @returns Its marked node, or NO_NODE.
   */
  lookup(isIpv6: boolean, w0: number, w1: number, w2: number, w3: number): number {
    const nodes = this.#nodes;
    let longest = NO_NODE;
    let node = isIpv6 ? this.#root6 : this.#root4;
    while (node !== NO_NODE) {
      const at = node * NODE_WORDS;
      const length = nodes[at + META] & LENGTH_MASK;
      if (nodes[at + META] & MARKED) {
        if (!this.#isPrefixOf(node, w0, w1, w2, w3)) break;
        longest = node;
      }
      node = nodes[at + bitAt(length, w0, w1, w2, w3)];
    }
    return longest;
  }

  /** @returns The marked node of exactly this prefix, or NO_NODE. Bits behind the prefix are ignored. */
  find(isIpv6: boolean, address: Int32Array, length: number): number {
    let node = isIpv6 ? this.#root6 : this.#root4;
    while (node !== NO_NODE && this.lengthOf(node) < length) {
      if (!this.#covers(node, address)) return NO_NODE;
      node = this.#child(node, bitOf(address, this.lengthOf(node)));
    }
    const isHere = node !== NO_NODE && this.lengthOf(node) === length && this.#covers(node, address);
    return isHere && this.#isMarked(node) ? node : NO_NODE;
  }

  /**
   * Makes sure that a marked node for the prefix exists.
   *
   * @param address Four words; bits behind the prefix must be zero.
   * @returns The node.
   */
  insert(isIpv6: boolean, address: Int32Array, length: number): number {
    let parent = NO_NODE;
    let node = isIpv6 ? this.#root6 : this.#root4;
    while (node !== NO_NODE && this.lengthOf(node) <= length && this.#covers(node, address)) {
      if (this.lengthOf(node) === length) return this.#mark(node);
      parent = node;
      node = this.#child(node, bitOf(address, this.lengthOf(node)));
    }
    const made = this.#makeNode(isIpv6, address, length);
    this.#mark(made);
    this.#replaceChild(parent, made, node === NO_NODE ? made : this.#join(made, node));
    return made;
  }

  /** Removes a marked node's prefix from the trie. The number of the node may be reused. */
  remove(node: number): void {
    let grandparent = NO_NODE;
    let parent = NO_NODE;
    for (let step = this.isIpv6(node) ? this.#root6 : this.#root4; step !== node; ) {
      grandparent = parent;
      parent = step;
      step = this.#child(step, this.#bitOfNode(node, this.lengthOf(step)));
    }
    this.#nodes[node * NODE_WORDS + META] &= ~MARKED;
    this.#splice(node, parent);
    if (parent !== NO_NODE && !this.#isMarked(parent)) this.#splice(parent, grandparent);
  }

  lengthOf(node: number): number {
    return this.#nodes[node * NODE_WORDS + META] & LENGTH_MASK;
  }

  isIpv6(node: number): boolean {
    return (this.#nodes[node * NODE_WORDS + META] & IPV6) !== 0;
  }

  /** @param index 0 to 3. */
  addressWord(node: number, index: number): number {
    return index === 0 ? this.#nodes[node * NODE_WORDS + FIRST_WORD] : this.#tails[node * TAIL_WORDS + index - 1];
  }

  /** Removes a node from the tree, unless the node joins two children. */
  #splice(node: number, parent: number): void {
    const left = this.#child(node, 0);
    const right = this.#child(node, 1);
    if (left !== NO_NODE && right !== NO_NODE) return;

    this.#replaceChild(parent, node, left === NO_NODE ? right : left);
    this.#setChild(node, 0, this.#firstFree);
    this.#firstFree = node;
  }

  /** @returns The common parent: `made` itself, or a new node where the two part. */
  #join(made: number, node: number): number {
    const shared = Math.min(this.#sharedBits(made, node), this.lengthOf(made), this.lengthOf(node));
    const top = shared === this.lengthOf(made) ? made : this.#makeFork(made, shared);
    this.#setChild(top, this.#bitOfNode(node, shared), node);
    if (top !== made) this.#setChild(top, this.#bitOfNode(made, shared), made);
    return top;
  }

  #makeFork(node: number, length: number): number {
    const address = Int32Array.from({ length: ADDRESS_WORDS }, (_, index) => this.addressWord(node, index));
    maskHostBits(address, length);
    return this.#makeNode(this.isIpv6(node), address, length);
  }

  #makeNode(isIpv6: boolean, address: Int32Array, length: number): number {
    const node = this.#takeNode();
    this.#setChild(node, 0, NO_NODE);
    this.#setChild(node, 1, NO_NODE);
    this.#nodes[node * NODE_WORDS + META] = length | (isIpv6 ? IPV6 : 0);
    this.#nodes[node * NODE_WORDS + FIRST_WORD] = address[0];
    for (let i = 0; i < TAIL_WORDS; i++) this.#tails[node * TAIL_WORDS + i] = address[i + 1];
    return node;
  }

  #takeNode(): number {
    if (this.#firstFree !== NO_NODE) {
      const node = this.#firstFree;
      this.#firstFree = this.#child(node, 0);
      return node;
    }
    if ((this.#nodeCount + 1) * NODE_WORDS > this.#nodes.length) {
      this.#nodes = twiceAsLong(this.#nodes);
      this.#tails = twiceAsLong(this.#tails);
    }
    return this.#nodeCount++;
  }

  /** Puts `child` in the place of `node` under `parent`. */
  #replaceChild(parent: number, node: number, child: number): void {
    if (parent !== NO_NODE) this.#setChild(parent, this.#bitOfNode(node, this.lengthOf(parent)), child);
    else if (this.isIpv6(node)) this.#root6 = child;
    else this.#root4 = child;
  }

  #mark(node: number): number {
    this.#nodes[node * NODE_WORDS + META] |= MARKED;
    return node;
  }

  #isMarked(node: number): boolean {
    return (this.#nodes[node * NODE_WORDS + META] & MARKED) !== 0;
  }

  #child(node: number, bit: number): number {
    return this.#nodes[node * NODE_WORDS + bit];
  }

  #setChild(node: number, bit: number, child: number): void {
    this.#nodes[node * NODE_WORDS + bit] = child;
  }

  #covers(node: number, address: Int32Array): boolean {
    return this.#isPrefixOf(node, address[0], address[1], address[2], address[3]);
  }

  #isPrefixOf(node: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const length = this.lengthOf(node);
    const first = this.#nodes[node * NODE_WORDS + FIRST_WORD];
    if (length <= 32) return length === 0 || (first ^ w0) >>> (32 - length) === 0;
    if (first !== w0) return false;
    const at = node * TAIL_WORDS;
    if (length <= 64) return (this.#tails[at] ^ w1) >>> (64 - length) === 0;
    if (this.#tails[at] !== w1) return false;
    if (length <= 96) return (this.#tails[at + 1] ^ w2) >>> (96 - length) === 0;
    return this.#tails[at + 1] === w2 && (this.#tails[at + 2] ^ w3) >>> (128 - length) === 0;
  }

  #bitOfNode(node: number, index: number): number {
    return (this.addressWord(node, index >> 5) >>> (31 - (index & 31))) & 1;
  }

  #sharedBits(a: number, b: number): number {
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      const difference = this.addressWord(a, word) ^ this.addressWord(b, word);
      if (difference !== 0) return word * 32 + Math.clz32(difference);
    }
    return ADDRESS_WORDS * 32;
  }
}

export const NO_NODE = 0;
export const ADDRESS_WORDS = 4;

const NODE_WORDS = 4;
const META = 2;
const FIRST_WORD = 3;
const TAIL_WORDS = 3;

/** Bits of the META word. */
const LENGTH_MASK = 0xff;
const MARKED = 0x100;
const IPV6 = 0x200;

const INITIAL_NODES = 64;

/** Clears the bits behind the first `length` bits of four words. */
export function maskHostBits(address: Int32Array, length: number): void {
  for (let word = 0; word < ADDRESS_WORDS; word++) {
    const kept = Math.min(32, Math.max(0, length - word * 32));
    address[word] = kept === 0 ? 0 : address[word] & (-1 << (32 - kept));
  }
}

/** Returns the bit with this index; bit 0 is the first of the address. */
function bitAt(index: number, w0: number, w1: number, w2: number, w3: number): number {
  const word = index < 64 ? (index < 32 ? w0 : w1) : index < 96 ? w2 : w3;
  return (word >>> (31 - (index & 31))) & 1;
}

function bitOf(address: Int32Array, index: number): number {
  return bitAt(index, address[0], address[1], address[2], address[3]);
}

function twiceAsLong(array: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(array.length * 2);
  longer.set(array);
  return longer;
}
