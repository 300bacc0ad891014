import type { IpPrefix } from '../core/configuration.js';
import { AllowedIps } from '../core/routing/allowed-ips.js';
import { isIpv4Mapped } from '../wire/address-text.js';
import { type AddressClass, AddressClasses, lookup } from './address-class.js';
import type { DeviceState } from './device-state.js';
import { embeddedIpv4 } from './embedded-ipv4.js';
import { hostPrefix } from './prefix.js';

/** An address inside of the tunnel: the gateway's or a device's. */
export interface InnerAddress {
  /** Never given twice. */
  readonly number: number;
  /** Absent: it is the gateway's. */
  readonly device?: DeviceState;
}

export type PlaceKind = 'gateway' | 'device' | 'internet' | 'lan' | DeniedClass;
export type DeniedClass = Exclude<AddressClass, 'private' | 'public'>;

/** The place that an address leads to. */
export interface Place {
  readonly kind: PlaceKind;
  /** Absent, with the kind `device`: an address of ours that no device has. */
  readonly device?: DeviceState;
  /** The address itself, and the IPv4 addresses inside of it. Rules match any of them. */
  readonly addresses: readonly Uint8Array[];
  /** The address that decided about the kind, and the length of the range that it is in. */
  readonly decidedBy: Uint8Array;
  readonly prefixLength: number;
}

type Found = Pick<Place, 'kind' | 'device' | 'decidedBy' | 'prefixLength'>;

/** The order in which readings of one address count: the strictest decides. */
const STRICTNESS: readonly PlaceKind[] = [
  'not-unicast',
  'this-host',
  'metadata',
  'link-local',
  'device',
  'lan',
  'internet',
  'gateway',
];

/** Knows the addresses of the tunnel and of this host, and tells what any address leads to. */
export class Places {
  readonly inner = new AllowedIps<InnerAddress>();
  readonly #classes = new AddressClasses();
  readonly #subnets = new AllowedIps<object>();
  readonly #subnetOwner = {};
  #nextNumber = 0;

  /** @param subnets The ranges of the tunnel: an address in them is never outside, even if no device has it. */
  setSubnets(subnets: readonly IpPrefix[]): void {
    this.#subnets.removeAll(this.#subnetOwner);
    for (const subnet of subnets) this.#subnets.insert(subnet, this.#subnetOwner);
  }

  setOwnAddresses(addresses: readonly Uint8Array[]): void {
    this.#classes.setOwnAddresses(addresses);
  }

  /**
   * Gives addresses to a device or, without one, to the gateway, in the place of those that it had. An address that was
   * another's moves. One that stays keeps its number, so that the flows of it are remembered.
   */
  replace(before: readonly InnerAddress[], after: readonly Uint8Array[], device?: DeviceState): InnerAddress[] {
    const kept = after.map((address) => before.find((known) => lookup(this.inner, address) === known));
    for (const address of before) if (!kept.includes(address)) this.inner.removeAll(address);
    return after.map((address, i) => kept[i] ?? this.#add(address, device));
  }

  /** Judges an address by itself and by each IPv4 address inside of it: a packet may end at either. */
  placeOf(address: Uint8Array): Place {
    const inside = embeddedIpv4(address);
    const addresses = [address, ...inside];
    if (isIpv4Mapped(address)) return { ...this.#find(inside[0]), addresses };

    // An IPv6 address with an IPv4 address inside is only a cover for it, unless it has a meaning of its own: `::1` is
    // not 0.0.0.1.
    const outer = this.#find(address);
    if (inside.length === 0 || outer.kind !== 'internet') return { ...outer, addresses: [address] };
    return { ...inside.map((reading) => this.#findInside(reading)).reduce(stricter), addresses };
  }

  #add(address: Uint8Array, device: DeviceState | undefined): InnerAddress {
    const number = this.#nextNumber++;
    const made = device === undefined ? { number } : { number, device };
    this.inner.insert(hostPrefix(address), made);
    return made;
  }

  #find(address: Uint8Array): Found {
    const inner = lookup(this.inner, address);
    const prefixLength = address.length * 8;
    if (inner?.device !== undefined) return { kind: 'device', device: inner.device, decidedBy: address, prefixLength };
    if (inner !== undefined) return { kind: 'gateway', decidedBy: address, prefixLength };
    const { class: kind, prefixLength: rangeLength } = this.#classes.classify(address);
    const isOurs = kind === 'private' || kind === 'public' ? lookup(this.#subnets, address) !== undefined : false;
    return { kind: isOurs ? 'device' : placeKind(kind), decidedBy: address, prefixLength: rangeLength };
  }

  /** The gateway's own address behind a translator is not the gateway, which would be reached by its plain address. */
  #findInside(address: Uint8Array): Found {
    const found = this.#find(address);
    return found.kind === 'gateway' ? { ...found, kind: 'this-host' } : found;
  }
}

function placeKind(kind: AddressClass): PlaceKind {
  return kind === 'public' ? 'internet' : kind === 'private' ? 'lan' : kind;
}

function stricter(a: Found, b: Found): Found {
  return STRICTNESS.indexOf(b.kind) < STRICTNESS.indexOf(a.kind) ? b : a;
}
