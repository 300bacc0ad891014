/**
 * A path-compressed binary trie of address prefixes, in one typed array.
 *
 * It has two roots, one for IPv4 and one for IPv6, over one set of nodes, so that a node's number names a
 * prefix of either family. IPv4 addresses use the first of the four address words. A node is *marked* if its
 * prefix was inserted; the others are there because two branches part. Every node without a mark has two children.
 *
 * ```text
 *  word of a node   0 – 3     4               5 and 6                     7
 *                   address   prefix length   children, by the next bit   bit 0: marked, bit 1: IPv6
 * ```
 *
 * Node numbers stay the same while a prefix is in the trie. Nothing is allocated by `lookup`.
 */
export class PrefixTrie {
  #nodes = new Int32Array(INITIAL_NODES * NODE_WORDS);
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

  /** @returns The marked node with the longest prefix of the address, or NO_NODE. */
  lookup(isIpv6: boolean, w0: number, w1: number, w2: number, w3: number): number {
    const nodes = this.#nodes;
    let longest = NO_NODE;
    let node = isIpv6 ? this.#root6 : this.#root4;
    while (node !== NO_NODE) {
      const at = node * NODE_WORDS;
      const length = nodes[at + LENGTH];
      if (!hasPrefix(nodes, at, length, w0, w1, w2, w3)) break;
      if (nodes[at + FLAGS] & MARKED) longest = node;
      if (length === MAX_LENGTH) break;
      node = nodes[at + CHILDREN + bitAt(length, w0, w1, w2, w3)];
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
   * @param address Four words; bits behind the prefix have to be zero.
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
    this.#replaceChild(isIpv6, parent, address, node === NO_NODE ? made : this.#join(made, node, isIpv6));
    return made;
  }

  /** Takes a marked node's prefix out of the trie. The number of the node may be used again. */
  remove(node: number): void {
    const isIpv6 = this.isIpv6(node);
    const at = node * NODE_WORDS;
    const address = this.#nodes.subarray(at, at + ADDRESS_WORDS);
    let grandparent = NO_NODE;
    let parent = NO_NODE;
    for (let step = isIpv6 ? this.#root6 : this.#root4; step !== node; ) {
      grandparent = parent;
      parent = step;
      step = this.#child(step, bitOf(address, this.lengthOf(step)));
    }
    this.#nodes[at + FLAGS] &= ~MARKED;
    if (!this.#splice(node, parent)) return;
    if (parent !== NO_NODE && !this.#isMarked(parent)) this.#splice(parent, grandparent);
  }

  lengthOf(node: number): number {
    return this.#nodes[node * NODE_WORDS + LENGTH];
  }

  isIpv6(node: number): boolean {
    return (this.#nodes[node * NODE_WORDS + FLAGS] & IPV6) !== 0;
  }

  /** @param index 0 to 3. */
  addressWord(node: number, index: number): number {
    return this.#nodes[node * NODE_WORDS + index];
  }

  /** Takes a node with less than two children out of the tree. @returns `false` if it has two, and has to stay. */
  #splice(node: number, parent: number): boolean {
    const left = this.#child(node, 0);
    const right = this.#child(node, 1);
    if (left !== NO_NODE && right !== NO_NODE) return false;

    const at = node * NODE_WORDS;
    const address = this.#nodes.subarray(at, at + ADDRESS_WORDS);
    this.#replaceChild(this.isIpv6(node), parent, address, left === NO_NODE ? right : left);
    this.#nodes[at + CHILDREN] = this.#firstFree;
    this.#firstFree = node;
    return left === NO_NODE && right === NO_NODE;
  }

  /** @returns The node under which both are: `made` itself, or a new one where the two part. */
  #join(made: number, node: number, isIpv6: boolean): number {
    const shared = Math.min(this.#sharedBits(made, node), this.lengthOf(made), this.lengthOf(node));
    const top = shared === this.lengthOf(made) ? made : this.#makeFork(isIpv6, made, shared);
    this.#setChild(top, this.#bitOfNode(node, shared), node);
    if (top !== made) this.#setChild(top, this.#bitOfNode(made, shared), made);
    return top;
  }

  #makeFork(isIpv6: boolean, node: number, length: number): number {
    const address = this.#nodes.slice(node * NODE_WORDS, node * NODE_WORDS + ADDRESS_WORDS);
    maskHostBits(address, length);
    return this.#makeNode(isIpv6, address, length);
  }

  #makeNode(isIpv6: boolean, address: Int32Array, length: number): number {
    const node = this.#takeNode();
    const at = node * NODE_WORDS;
    this.#nodes.set(address, at);
    this.#nodes[at + LENGTH] = length;
    this.#nodes[at + CHILDREN] = NO_NODE;
    this.#nodes[at + CHILDREN + 1] = NO_NODE;
    this.#nodes[at + FLAGS] = isIpv6 ? IPV6 : 0;
    return node;
  }

  #takeNode(): number {
    if (this.#firstFree !== NO_NODE) {
      const node = this.#firstFree;
      this.#firstFree = this.#child(node, 0);
      return node;
    }
    if ((this.#nodeCount + 1) * NODE_WORDS > this.#nodes.length) {
      const larger = new Int32Array(this.#nodes.length * 2);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    return this.#nodeCount++;
  }

  #replaceChild(isIpv6: boolean, parent: number, address: Int32Array, child: number): void {
    if (parent !== NO_NODE) this.#setChild(parent, bitOf(address, this.lengthOf(parent)), child);
    else if (isIpv6) this.#root6 = child;
    else this.#root4 = child;
  }

  #mark(node: number): number {
    this.#nodes[node * NODE_WORDS + FLAGS] |= MARKED;
    return node;
  }

  #isMarked(node: number): boolean {
    return (this.#nodes[node * NODE_WORDS + FLAGS] & MARKED) !== 0;
  }

  #child(node: number, bit: number): number {
    return this.#nodes[node * NODE_WORDS + CHILDREN + bit];
  }

  #setChild(node: number, bit: number, child: number): void {
    this.#nodes[node * NODE_WORDS + CHILDREN + bit] = child;
  }

  #covers(node: number, address: Int32Array): boolean {
    const length = this.lengthOf(node);
    return hasPrefix(this.#nodes, node * NODE_WORDS, length, address[0], address[1], address[2], address[3]);
  }

  #bitOfNode(node: number, index: number): number {
    return (this.#nodes[node * NODE_WORDS + (index >> 5)] >>> (31 - (index & 31))) & 1;
  }

  #sharedBits(a: number, b: number): number {
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      const difference = this.addressWord(a, word) ^ this.addressWord(b, word);
      if (difference !== 0) return word * 32 + Math.clz32(difference);
    }
    return MAX_LENGTH;
  }
}

export const NO_NODE = 0;
export const ADDRESS_WORDS = 4;

const NODE_WORDS = 8;
const LENGTH = 4;
const CHILDREN = 5;
const FLAGS = 7;
const MARKED = 1;
const IPV6 = 2;
const MAX_LENGTH = 128;
const INITIAL_NODES = 64;

/** Clears what is behind the first `length` bits of four words. */
export function maskHostBits(address: Int32Array, length: number): void {
  for (let word = 0; word < ADDRESS_WORDS; word++) {
    const kept = Math.min(32, Math.max(0, length - word * 32));
    address[word] = kept === 0 ? 0 : address[word] & (-1 << (32 - kept));
  }
}

function hasPrefix(
  nodes: Int32Array,
  at: number,
  length: number,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  if (length === 0) return true;
  if (length <= 32) return (nodes[at] ^ w0) >>> (32 - length) === 0;
  if (nodes[at] !== w0) return false;
  if (length <= 64) return (nodes[at + 1] ^ w1) >>> (64 - length) === 0;
  if (nodes[at + 1] !== w1) return false;
  if (length <= 96) return (nodes[at + 2] ^ w2) >>> (96 - length) === 0;
  return nodes[at + 2] === w2 && (nodes[at + 3] ^ w3) >>> (128 - length) === 0;
}

/** The bit with this index, 0 being the first of the address. */
function bitAt(index: number, w0: number, w1: number, w2: number, w3: number): number {
  const word = index < 64 ? (index < 32 ? w0 : w1) : index < 96 ? w2 : w3;
  return (word >>> (31 - (index & 31))) & 1;
}

function bitOf(address: Int32Array, index: number): number {
  return bitAt(index, address[0], address[1], address[2], address[3]);
}
