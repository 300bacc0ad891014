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
 * Eve: sees every datagram that is put on a network, and remembers the last ones.
 *
 * She knows what anyone on the path knows: times, addresses, sizes, and the bytes. Tests say what she may find out.
 */
export class Eavesdropper {
  /** Forgets the oldest beyond this many, so that long runs stay small. */
  maxObservations = DEFAULT_MAX_OBSERVATIONS;
  /** Datagrams seen since the start, also those forgotten. */
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

  /** When messages of one kind were seen. */
  times(kind: MessageKind, fromAddress?: string): number[] {
    return this.seen(kind, fromAddress).map(({ atMs }) => atMs);
  }

  /** The bytes of the last message of one kind. @throws {RangeError} if there was none. */
  last(kind: MessageKind, fromAddress?: string): Datagram {
    const observation = this.seen(kind, fromAddress).at(-1);
    if (observation === undefined) throw new RangeError(`no ${kind} was seen`);
    return observation.datagram;
  }

  /** Messages of one kind since the start, also those forgotten. */
  total(kind: MessageKind): number {
    return this.#totalByType.get(MESSAGE_TYPES[kind]) ?? 0;
  }

  /** Forgets what was seen; the totals stay. */
  clear(): void {
    this.#observations = [];
  }
}
