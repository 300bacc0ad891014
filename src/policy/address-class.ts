/** The kind of place that an address is, before any rule is asked. */
import { AllowedIps } from '../core/routing/allowed-ips.js';
import { hostPrefix, prefixOf } from './prefix.js';

/** From the strictest to the mildest. All but the last two are denied unless a rule opens them by a prefix. */
export type AddressClass = 'not-unicast' | 'this-host' | 'metadata' | 'link-local' | 'private' | 'public';

/** An address range with its class. */
export interface ClassRange {
  readonly range: string;
  readonly class: AddressClass;
  /** Why the range is of its class. */
  readonly source: string;
}

/**
 * Every range that is not public. The longest prefix decides.
 *
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); the manuals of the clouds.
 */
export const CLASS_RANGES: readonly ClassRange[] = [
  row('0.0.0.0/8', 'this-host', 'RFC 791 §3.2'),
  row('127.0.0.0/8', 'this-host', 'RFC 1122 §3.2.1.3'),
  row('::/128', 'this-host', 'RFC 4291 §2.5.2'),
  row('::1/128', 'this-host', 'RFC 4291 §2.5.3'),

  row('169.254.0.0/16', 'link-local', 'RFC 3927'),
  row('fe80::/10', 'link-local', 'RFC 4291 §2.5.6'),
  row('fec0::/10', 'link-local', 'RFC 3879'),

  row('169.254.169.254/32', 'metadata', 'AWS, Azure, Google and others'),
  row('168.63.129.16/32', 'metadata', 'Azure'),
  row('100.100.100.200/32', 'metadata', 'Alibaba'),
  row('192.0.0.192/32', 'metadata', 'Oracle'),
  row('fd00:ec2::254/128', 'metadata', 'AWS'),

  row('10.0.0.0/8', 'private', 'RFC 1918'),
  row('172.16.0.0/12', 'private', 'RFC 1918'),
  row('192.168.0.0/16', 'private', 'RFC 1918'),
  row('100.64.0.0/10', 'private', 'RFC 6598'),
  row('198.18.0.0/15', 'private', 'RFC 2544'),
  row('192.0.0.0/24', 'private', 'RFC 6890'),
  row('fc00::/7', 'private', 'RFC 4193'),

  row('224.0.0.0/4', 'not-unicast', 'RFC 5771'),
  row('240.0.0.0/4', 'not-unicast', 'RFC 1112 §4'),
  row('255.255.255.255/32', 'not-unicast', 'RFC 919 §7'),
  row('192.0.2.0/24', 'not-unicast', 'RFC 5737'),
  row('198.51.100.0/24', 'not-unicast', 'RFC 5737'),
  row('203.0.113.0/24', 'not-unicast', 'RFC 5737'),
  row('ff00::/8', 'not-unicast', 'RFC 4291 §2.7'),
  row('2001:db8::/32', 'not-unicast', 'RFC 3849'),
  row('100::/64', 'not-unicast', 'RFC 6666'),
];

/** The class of an address, with the length of the prefix that gave it. */
export interface Classified {
  readonly class: AddressClass;
  readonly prefixLength: number;
}

const PUBLIC: Classified = { class: 'public', prefixLength: 0 };

/** Finds the class of an address as it stands, without a look inside. */
export class AddressClasses {
  readonly #ranges = new AllowedIps<Classified>();
  readonly #own = new AllowedIps<Classified>();
  readonly #ownOwner: Classified[] = [];

  constructor() {
    for (const { range, class: kind } of CLASS_RANGES) {
      const prefix = prefixOf(range);
      this.#ranges.insert(prefix, { class: kind, prefixLength: prefix.prefixLength });
    }
  }

  /**
   * Sets the addresses of this host. They count as the host itself whatever range they are in: a connection to a host's
   * own public address goes over its loopback interface, past its firewall.
   */
  setOwnAddresses(addresses: readonly Uint8Array[]): void {
    for (const owner of this.#ownOwner.splice(0)) this.#own.removeAll(owner);
    for (const address of addresses) {
      const owner: Classified = { class: 'this-host', prefixLength: address.length * 8 };
      this.#own.insert(hostPrefix(address), owner);
      this.#ownOwner.push(owner);
    }
  }

  /** @param address 4 or 16 bytes. */
  classify(address: Uint8Array): Classified {
    return lookup(this.#own, address) ?? lookup(this.#ranges, address) ?? PUBLIC;
  }
}

/** Finds an address of either family in a table. */
export function lookup<Owner extends object>(table: AllowedIps<Owner>, address: Uint8Array): Owner | undefined {
  return address.length === 4 ? table.lookup4(address, 0) : table.lookup6(address, 0);
}

function row(range: string, kind: AddressClass, source: string): ClassRange {
  return { range, class: kind, source };
}
