import type { Datagram } from './datagram.js';
import type { EventQueue } from './event-queue.js';

/** A datagram, and its fate when it left. */
export type Fate = 'sent' | 'lost' | 'partitioned' | 'unroutable';

/** A datagram as an observer on the wire saw it. */
export interface Observation {
  readonly atMs: number;
  readonly datagram: Datagram;
  readonly fate: Fate;
}

/** The type byte of a message, and its name (whitepaper §5.4). */
export const MESSAGE_TYPES = { initiation: 1, response: 2, cookieReply: 3, transportData: 4 } as const;
export type MessageKind = keyof typeof MESSAGE_TYPES;

const DEFAULT_MAX_OBSERVATIONS = 20_000;

/**
 * Eve: observes every datagram that is put on a network, and keeps the last datagrams.
 *
 * Eve sees the same as anyone on the path: times, addresses, sizes, and bytes. Tests state what Eve may learn.
 */
export class Eavesdropper {
  /** The number of observations that are kept, so that long runs stay small. */
  maxObservations = DEFAULT_MAX_OBSERVATIONS;
  /** Datagrams seen since the start, discarded observations included. */
  totalDatagrams = 0;
  totalBytes = 0;

  readonly #events: EventQueue;
  readonly #totalByType = new Map<number, number>();
  #observations: Observation[] = [];

  constructor(events: EventQueue) {
    this.#events = events;
  }

  record(datagram: Datagram, fate: Fate): void {
    this.totalDatagrams++;
    this.totalBytes += datagram.bytes.length;
    const type = datagram.bytes[0] ?? 0;
    this.#totalByType.set(type, (this.#totalByType.get(type) ?? 0) + 1);

    this.#observations.push({ atMs: this.#events.nowMs, datagram, fate });
    if (this.#observations.length > 2 * this.maxObservations)
      this.#observations = this.#observations.slice(-this.maxObservations);
  }

  /** Oldest first. */
  get observations(): readonly Observation[] {
    return this.#observations;
  }

  /** Returns the datagrams of one kind seen since `clear`, from one address if one is given. */
  seen(kind: MessageKind, fromAddress?: string): Observation[] {
    return this.#observations.filter(
      ({ datagram }) =>
        datagram.bytes[0] === MESSAGE_TYPES[kind] &&
        (fromAddress === undefined || datagram.from.address === fromAddress),
    );
  }

  /** Returns the times at which messages of one kind were seen. */
  times(kind: MessageKind, fromAddress?: string): number[] {
    return this.seen(kind, fromAddress).map(({ atMs }) => atMs);
  }

  /** The bytes of the last message of one kind. @throws {RangeError} if there was none. */
  last(kind: MessageKind, fromAddress?: string): Datagram {
    const observation = this.seen(kind, fromAddress).at(-1);
    if (observation === undefined) throw new RangeError(`no ${kind} was seen`);
    return observation.datagram;
  }

  /** Returns the number of messages of one kind since the start, discarded observations included. */
  total(kind: MessageKind): number {
    return this.#totalByType.get(MESSAGE_TYPES[kind]) ?? 0;
  }

  /** Discards all observations; the totals are kept. */
  clear(): void {
    this.#observations = [];
  }
}
