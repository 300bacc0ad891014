import type { IpPrefix } from '../configuration.js';
import { ADDRESS_WORDS, maskHostBits, NO_NODE, PrefixTrie } from './prefix-trie.js';

/**
 * Cryptokey routing: the owner (peer) of an inner address, by the longest prefix.
 *
 * A prefix has one owner. Giving the prefix to another owner moves it. Each owner's prefixes are kept
 * in the order in which they were given, as a list that is linked through the nodes of the trie.
 *
 * Source: whitepaper §2.
 */
export class AllowedIps<Owner extends object> {
  readonly #trie = new PrefixTrie();
  /** By node of the trie. */
  readonly #owners: (Owner | undefined)[] = [undefined];
  readonly #before: number[] = [NO_NODE];
  readonly #after: number[] = [NO_NODE];
  readonly #ends = new Map<Owner, ListEnds>();
  readonly #address = new Int32Array(ADDRESS_WORDS);

  /** @param at Where a 4-byte address starts in `bytes`. */
  lookup4(bytes: Uint8Array, at: number): Owner | undefined {
    return this.#owners[this.#trie.lookup(false, readWord(bytes, at), 0, 0, 0)];
  }

  /** @param at Where a 16-byte address starts in `bytes`. */
  lookup6(bytes: Uint8Array, at: number): Owner | undefined {
    const w0 = readWord(bytes, at);
    const w1 = readWord(bytes, at + 4);
    const w2 = readWord(bytes, at + 8);
    return this.#owners[this.#trie.lookup(true, w0, w1, w2, readWord(bytes, at + 12))];
  }

  /** Gives a prefix to `owner`, as the last of its prefixes, and takes it from its previous owner. */
  insert(prefix: IpPrefix, owner: Owner): void {
    const isIpv6 = this.#readAddress(prefix);
    const node = this.#trie.insert(isIpv6, this.#address, prefix.prefixLength);
    while (this.#owners.length < this.#trie.nodeCount) this.#addColumn();
    if (this.#owners[node] !== undefined) this.#unlink(node);
    this.#linkLast(node, owner);
  }

  /** @returns `false`, with no change, if the prefix is not `owner`'s. */
  remove(prefix: IpPrefix, owner: Owner): boolean {
    const isIpv6 = this.#readAddress(prefix);
    const node = this.#trie.find(isIpv6, this.#address, prefix.prefixLength);
    if (node === NO_NODE || this.#owners[node] !== owner) return false;
    this.#unlink(node);
    this.#trie.remove(node);
    return true;
  }

  removeAll(owner: Owner): void {
    for (let ends = this.#ends.get(owner); ends !== undefined; ends = this.#ends.get(owner)) {
      const node = ends.first;
      this.#unlink(node);
      this.#trie.remove(node);
    }
  }

  /** The prefixes of `owner` in the order in which they were given, host bits cleared. */
  list(owner: Owner): IpPrefix[] {
    const prefixes: IpPrefix[] = [];
    for (let node = this.#ends.get(owner)?.first ?? NO_NODE; node !== NO_NODE; node = this.#after[node])
      prefixes.push(this.#prefixOf(node));
    return prefixes;
  }

  #linkLast(node: number, owner: Owner): void {
    const ends = this.#ends.get(owner);
    const last = ends?.last ?? NO_NODE;
    this.#owners[node] = owner;
    this.#before[node] = last;
    this.#after[node] = NO_NODE;
    if (ends === undefined) {
      this.#ends.set(owner, { first: node, last: node });
    } else {
      this.#after[last] = node;
      ends.last = node;
    }
  }

  #unlink(node: number): void {
    const owner = this.#owners[node]!;
    const ends = this.#ends.get(owner)!;
    const before = this.#before[node];
    const after = this.#after[node];
    this.#owners[node] = undefined;
    if (before === NO_NODE) ends.first = after;
    else this.#after[before] = after;
    if (after === NO_NODE) ends.last = before;
    else this.#before[after] = before;
    if (ends.first === NO_NODE) this.#ends.delete(owner);
  }

  #addColumn(): void {
    this.#owners.push(undefined);
    this.#before.push(NO_NODE);
    this.#after.push(NO_NODE);
  }

  /** Puts the address into `#address`, host bits cleared. @returns Whether it is an IPv6 address. */
  #readAddress({ address, prefixLength }: IpPrefix): boolean {
    this.#address.fill(0);
    for (let at = 0; at < address.length; at += 4) this.#address[at / 4] = readWord(address, at);
    maskHostBits(this.#address, prefixLength);
    return address.length !== 4;
  }

  #prefixOf(node: number): IpPrefix {
    const address = new Uint8Array(this.#trie.isIpv6(node) ? 16 : 4);
    for (let at = 0; at < address.length; at += 4) writeWord(address, at, this.#trie.addressWord(node, at / 4));
    return { address, prefixLength: this.#trie.lengthOf(node) };
  }
}

/** The first and the last node of an owner's list. */
interface ListEnds {
  first: number;
  last: number;
}

/** Big-endian, so that the first bit of the address is the highest. */
function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}
