import type { Datagram } from './datagram.js';
import type { EventQueue } from './event-queue.js';
import type { Network } from './network.js';
import type { SeededRandom } from './seeded-random.js';
import { SocketAddress } from './socket-address.js';

/** The parts of an address that a mapping or a filter depends on, in the words of RFC 4787 §4.1 and §5. */
export type NatDependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

export interface NatOptions {
  /** A NAT that maps by address and port is called symmetric. */
  readonly mapping: NatDependence;
  readonly filtering: NatDependence;
  /** A mapping ends this long after the last datagram from inside (RFC 4787 §4.3). */
  readonly timeoutMs: number;
  /**
   * Datagrams to the NAT itself are accepted and remembered, as by Linux without a packet filter: a later datagram from inside to
   * where one came from gets another port, as long as the entry lives.
   */
  readonly acceptsOwn?: boolean;
}

interface Mapping {
  readonly inside: SocketAddress;
  readonly outsidePort: number;
  readonly key: string;
  /** The remote ends that may answer because datagrams were sent to them, by the filter's key. */
  readonly permitted: Set<string>;
  usedMs: number;
}

/**
 * A network address translator between two networks: the gateway of the inside network, and a host of the outside
 * network.
 *
 * Mappings are refreshed from inside only. There is no hairpinning, and no datagram passes from outside without a
 * mapping.
 *
 * Source: RFC 4787.
 */
export class Nat {
  /** Datagrams from outside for which there was no mapping, or that the filter refused. */
  refusedDatagrams = 0;
  readonly #outside: Network;
  readonly #inside: Network;
  readonly #options: NatOptions;
  readonly #events: EventQueue;
  readonly #random: SeededRandom;
  readonly #mappings = new Map<string, Mapping>();
  readonly #mappingsByPort = new Map<number, Mapping>();
  /** Ends of the entries of datagrams to the NAT itself, by port and sender. */
  readonly #strays = new Map<string, number>();
  #address: string;

  constructor(
    networks: { readonly outside: Network; readonly inside: Network },
    address: string,
    options: NatOptions,
    events: EventQueue,
    random: SeededRandom,
  ) {
    this.#outside = networks.outside;
    this.#inside = networks.inside;
    this.#options = options;
    this.#events = events;
    this.#random = random;
    this.#address = address;
    this.#outside.attach(address, this);
    this.#inside.gateway = { deliver: (datagram) => this.#deliverFromInside(datagram) };
  }

  /** The outside address. */
  get address(): string {
    return this.#address;
  }

  get mappingCount(): number {
    this.#dropStaleMappings();
    return this.#mappings.size;
  }

  /** Forgets all mappings, as when the box was switched off and on. */
  reboot(): void {
    this.#mappings.clear();
    this.#mappingsByPort.clear();
  }

  /** Gets another address from the provider; mappings are kept, under the new address. */
  renumber(address: string): void {
    this.#outside.detach(this.#address);
    this.#address = address;
    this.#outside.attach(address, this);
  }

  /** Receives a datagram from outside. */
  deliver(datagram: Datagram): void {
    const mapping = this.#mappingsByPort.get(datagram.to.port);
    const isOpen = mapping !== undefined && this.#isFresh(mapping);
    if (!isOpen || !mapping.permitted.has(dependenceKey(this.#options.filtering, datagram.from))) {
      if (this.#options.acceptsOwn === true)
        this.#strays.set(`${datagram.to.port} ${datagram.from}`, this.#events.nowMs + STRAY_MS);
      this.refusedDatagrams++;
      return;
    }
    this.#inside.send({ ...datagram, to: mapping.inside });
  }

  #deliverFromInside(datagram: Datagram): void {
    const mapping = this.#mappingFor(datagram);
    mapping.usedMs = this.#events.nowMs;
    mapping.permitted.add(dependenceKey(this.#options.filtering, datagram.to));
    this.#outside.send({ ...datagram, from: new SocketAddress(this.#address, mapping.outsidePort) });
  }

  #mappingFor({ from, to }: Datagram): Mapping {
    const isStray = (this.#strays.get(`${from.port} ${to}`) ?? 0) > this.#events.nowMs;
    const key = `${from} ${isStray ? to : dependenceKey(this.#options.mapping, to)}`;
    const known = this.#mappings.get(key);
    if (known !== undefined && this.#isFresh(known)) return known;
    if (known !== undefined) this.#drop(known);

    const mapping = {
      inside: from,
      outsidePort: this.#freePort(from.port, isStray),
      key,
      permitted: new Set<string>(),
      usedMs: this.#events.nowMs,
    };
    this.#mappings.set(key, mapping);
    this.#mappingsByPort.set(mapping.outsidePort, mapping);
    return mapping;
  }

  /** The inside port where it is free and mapping is endpoint-independent; else a random one. */
  #freePort(wanted: number, isTaken: boolean): number {
    this.#dropStaleMappings();
    let port = wanted;
    const isPreserving = this.#options.mapping === 'endpoint-independent' && !isTaken;
    while ((!isPreserving && port === wanted) || this.#mappingsByPort.has(port))
      port = FIRST_PORT + this.#random.integer(65_536 - FIRST_PORT);
    return port;
  }

  #isFresh(mapping: Mapping): boolean {
    return this.#events.nowMs - mapping.usedMs < this.#options.timeoutMs;
  }

  #dropStaleMappings(): void {
    for (const mapping of this.#mappings.values()) if (!this.#isFresh(mapping)) this.#drop(mapping);
  }

  #drop(mapping: Mapping): void {
    this.#mappings.delete(mapping.key);
    this.#mappingsByPort.delete(mapping.outsidePort);
  }
}

const FIRST_PORT = 1_024;
/** Linux keeps an entry without an answer for so long (nf_conntrack_udp_timeout). */
const STRAY_MS = 30_000;

function dependenceKey(dependence: NatDependence, { address, port }: SocketAddress): string {
  if (dependence === 'endpoint-independent') return '*';
  return dependence === 'address-dependent' ? address : `${address} ${port}`;
}
