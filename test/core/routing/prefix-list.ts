import type { IpPrefix } from '../../../src/core/configuration.js';

/** All prefixes in the order in which they were given; a lookup tries each. */
export class PrefixList<Owner> {
  #entries: { readonly prefix: IpPrefix; readonly owner: Owner }[] = [];

  insert(prefix: IpPrefix, owner: Owner): void {
    this.#entries = this.#entries.filter((entry) => !isSame(entry.prefix, prefix));
    this.#entries.push({ prefix: maskedPrefix(prefix), owner });
  }

  remove(prefix: IpPrefix, owner: Owner): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.owner !== owner || !isSame(entry.prefix, prefix));
    return this.#entries.length < before;
  }

  removeAll(owner: Owner): void {
    this.#entries = this.#entries.filter((entry) => entry.owner !== owner);
  }

  list(owner: Owner): IpPrefix[] {
    return this.#entries.filter((entry) => entry.owner === owner).map((entry) => entry.prefix);
  }

  lookup(address: Uint8Array): Owner | undefined {
    const matching = this.#entries.filter(({ prefix: { address: other, prefixLength } }) =>
      isSame({ address: other, prefixLength }, { address, prefixLength }),
    );
    return matching.sort((a, b) => b.prefix.prefixLength - a.prefix.prefixLength)[0]?.owner;
  }
}

function isSame(a: IpPrefix, b: IpPrefix): boolean {
  if (a.prefixLength !== b.prefixLength || a.address.length !== b.address.length) return false;
  return Buffer.compare(maskedPrefix(a).address, maskedPrefix(b).address) === 0;
}

/** Clears the host bits, through a string of bits. */
export function maskedPrefix({ address, prefixLength }: IpPrefix): IpPrefix {
  const bits = [...address].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const kept = bits.slice(0, prefixLength).padEnd(bits.length, '0');
  return { address: address.map((_, i) => Number.parseInt(kept.slice(i * 8, i * 8 + 8), 2)), prefixLength };
}
