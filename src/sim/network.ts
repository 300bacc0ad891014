import type { Datagram } from './datagram.js';
import { Eavesdropper, type Fate } from './eavesdropper.js';
import type { EventQueue } from './event-queue.js';
import type { SeededRandom } from './seeded-random.js';

/** The receiver for an address on a network: a host, or the outside of a NAT. */
export interface Attachment {
  deliver(datagram: Datagram): void;
}

/** Mishaps of datagrams on their way. Rates are probabilities from 0 to 1. */
export interface LinkConditions {
  readonly delayMs: number;
  /** Up to this much is added to the delay, uniformly. Jitter above the gap between datagrams reorders them. */
  readonly jitterMs: number;
  readonly lossRate: number;
  readonly duplicationRate: number;
  /** The rate of datagrams that are delayed by `reorderDelayMs`, so that later datagrams overtake them. */
  readonly reorderRate: number;
  readonly reorderDelayMs: number;
  /** The rate of datagrams that arrive with one bit flipped. */
  readonly corruptionRate: number;
}

export const PERFECT_LINK: LinkConditions = {
  delayMs: 0,
  jitterMs: 0,
  lossRate: 0,
  duplicationRate: 0,
  reorderRate: 0,
  reorderDelayMs: 0,
  corruptionRate: 0,
};

/** Receives a datagram before it leaves and returns the datagrams to send instead: itself, none, or others. */
export type Interceptor = (datagram: Datagram) => readonly Datagram[];

/**
 * A network in memory, on which datagrams are delayed, lost, doubled, reordered and damaged as configured.
 *
 * Everything that is sent passes the eavesdropper first. Its mishaps are drawn from one seeded
 * generator, so the same seed gives the same run.
 */
export class Network {
  readonly name: string;
  readonly eve: Eavesdropper;
  conditions: LinkConditions = PERFECT_LINK;
  /** The receiver for addresses outside of this network: the inside of a NAT. */
  gateway: Attachment | undefined;
  /** An active attacker, or a router that rewrites. */
  interceptor: Interceptor | undefined;

  readonly #events: EventQueue;
  readonly #random: SeededRandom;
  readonly #attachments = new Map<string, Attachment>();
  readonly #partitions = new Set<string>();

  constructor(name: string, events: EventQueue, random: SeededRandom) {
    this.name = name;
    this.#events = events;
    this.#random = random;
    this.eve = new Eavesdropper(events);
  }

  /** @throws {RangeError} if the address is taken. */
  attach(address: string, attachment: Attachment): void {
    if (this.#attachments.has(address)) throw new RangeError(`${address} is taken on ${this.name}`);
    this.#attachments.set(address, attachment);
  }

  detach(address: string): void {
    this.#attachments.delete(address);
  }

  setConditions(conditions: Partial<LinkConditions>): void {
    this.conditions = { ...PERFECT_LINK, ...conditions };
  }

  /** Loses everything between two addresses, both ways, until `heal`. */
  partition(a: string, b: string): void {
    this.#partitions.add(`${a} ${b}`);
    this.#partitions.add(`${b} ${a}`);
  }

  /** Loses everything from one address to another; the reverse direction stays open. */
  partitionOneWay(from: string, to: string): void {
    this.#partitions.add(`${from} ${to}`);
  }

  heal(): void {
    this.#partitions.clear();
  }

  send(datagram: Datagram): void {
    if (this.interceptor === undefined) {
      this.transmit(datagram);
      return;
    }
    for (const other of this.interceptor(datagram)) this.transmit(other);
  }

  /** Sends past the interceptor, as the attacker does. */
  transmit(datagram: Datagram): void {
    const fate = this.#decideFate(datagram);
    this.eve.record(datagram, fate);
    if (fate !== 'sent') return;

    const { duplicationRate } = this.conditions;
    this.#travel(datagram);
    if (this.#random.chance(duplicationRate)) this.#travel(datagram);
  }

  #decideFate({ from, to }: Datagram): Fate {
    if (this.#partitions.size > 0 && this.#partitions.has(`${from.address} ${to.address}`)) return 'partitioned';
    if (this.#random.chance(this.conditions.lossRate)) return 'lost';
    return this.#attachments.has(to.address) || this.gateway !== undefined ? 'sent' : 'unroutable';
  }

  #travel(datagram: Datagram): void {
    const { conditions } = this;
    let delayMs = conditions.delayMs;
    if (conditions.jitterMs > 0) delayMs += this.#random.integer(conditions.jitterMs + 1);
    if (this.#random.chance(conditions.reorderRate)) delayMs += conditions.reorderDelayMs;
    const arriving = this.#random.chance(conditions.corruptionRate) ? this.#corrupt(datagram) : datagram;

    this.#events.schedule(this.#events.nowMs + delayMs, () => this.#arrive(arriving));
  }

  #corrupt(datagram: Datagram): Datagram {
    const bytes = datagram.bytes.slice();
    if (bytes.length > 0) bytes[this.#random.integer(bytes.length)]! ^= 1 << this.#random.integer(8);
    return { ...datagram, bytes };
  }

  /** Looks the address up on arrival: it may have moved while the datagram was in flight. */
  #arrive(datagram: Datagram): void {
    const attachment = this.#attachments.get(datagram.to.address) ?? this.gateway;
    attachment?.deliver(datagram);
  }
}
