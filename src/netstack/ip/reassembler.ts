import { ECN_CONGESTION_EXPERIENCED, UDP_HEADER_BYTES } from '../../wire/ip-header.js';
import { addressEquals } from '../address.js';
import { ByteRanges } from '../byte-ranges.js';
import { type IpView, isExtension } from './ip-view.js';
import { PROTOCOL_TCP } from './protocols.js';

const MAX_DATAGRAMS = 64;
const MAX_BYTES = 4 * 1024 * 1024;
/** The share of one sender: a quarter. */
const MAX_DATAGRAMS_OF_ONE = MAX_DATAGRAMS / 4;
const MAX_BYTES_OF_ONE = MAX_BYTES / 4;
const MAX_FRAGMENTS = 64;
const ECN_MASK = 3;
const TCP_HEADER_BYTES = 20;
const NOTHING = new Uint8Array(0);
const MAX_DATAGRAM_BYTES = 65_535;
/** RFC 1122 §3.3.2 for IPv4 (Linux's value), RFC 8200 §4.5 for IPv6. */
const LIFETIME_MS_4 = 30_000;
const LIFETIME_MS_6 = 60_000;

interface Partial {
  readonly version: 4 | 6;
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly id: number;
  protocol: number;
  readonly deadlineMs: number;
  readonly ranges: ByteRanges;
  bytes: Uint8Array;
  /** Length of the whole payload; −1 while the last fragment is missing. */
  length: number;
  fragments: number;
  /** The packet of the first fragment, once it came. */
  first: Uint8Array | undefined;
  firstHeaderBytes: number;
  /** A router marked one of the fragments (RFC 3168 §5.3). */
  isMarked: boolean;
}

/** Takes the first fragment of a datagram that stayed incomplete. */
export type ReassemblyTimeout = (
  local: Int32Array,
  remote: Int32Array,
  firstFragment: Uint8Array,
  nowMs: number,
) => void;

/**
 * Puts fragments together, within bounds: so many datagrams, so many bytes, so long, and a quarter of both for one sender.
 *
 * Overlaps end an IPv6 datagram (RFC 5722 §4); for IPv4 what came first stays.
 *
 * Source: RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2, RFC 8200 §4.5.
 */
export class Reassembler {
  readonly #partials: Partial[] = [];
  #bytes = 0;
  /** Datagrams that were given up: too late, too many, overlapping or too long. */
  dropped = 0;
  /** Headers of the first fragment of the datagram that `add` completed last. */
  head: Uint8Array = NOTHING;
  readonly #onTimedOut: ReassemblyTimeout | undefined;

  constructor(onTimedOut?: ReassemblyTimeout) {
    this.#onTimedOut = onTimedOut;
  }

  get count(): number {
    return this.#partials.length;
  }

  /** Bytes of the buffers of datagrams that are not whole. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns The payload of the datagram that this fragment completes, its protocol in `view.protocol`. */
  add(view: IpView, bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    this.expire(nowMs);
    const end = view.fragmentOffset + view.payloadBytes;
    // All but the last are multiples of eight (RFC 8200 §4.5); nothing may reach past the longest datagram.
    const isOdd = view.hasMoreFragments && view.payloadBytes % 8 !== 0;
    if (view.payloadBytes === 0 || isOdd || end > MAX_DATAGRAM_BYTES || lacksTransportHeader(view)) {
      this.dropped++;
      return undefined;
    }
    const partial = this.#partialOf(view) ?? this.#begin(view, nowMs);
    if (!this.#isConsistent(partial, view, end)) {
      this.#drop(partial);
      return undefined;
    }
    this.#store(partial, view, bytes, end);
    return this.#takeIfWhole(partial, view);
  }

  /** Gives up what is too old. Its sender learns of it if the first fragment came (RFC 1122 §3.3.2, RFC 8200 §4.5). */
  expire(nowMs: number): void {
    for (const partial of this.#partials.filter(({ deadlineMs }) => deadlineMs <= nowMs)) {
      this.#drop(partial);
      const { destination, source, first } = partial;
      if (first !== undefined) this.#onTimedOut?.(destination, source, first, nowMs);
    }
  }

  nextDeadline(): number {
    let earliestMs = Infinity;
    for (const { deadlineMs } of this.#partials) earliestMs = Math.min(earliestMs, deadlineMs);
    return earliestMs;
  }

  #partialOf({ version, source, destination, fragmentId, protocol }: IpView): Partial | undefined {
    return this.#partials.find(
      (partial) =>
        partial.version === version &&
        partial.id === fragmentId &&
        (version === 6 || partial.protocol === protocol) &&
        addressEquals(partial.source, 0, source, 0) &&
        addressEquals(partial.destination, 0, destination, 0),
    );
  }

  #begin(view: IpView, nowMs: number): Partial {
    const own = this.#partials.filter(({ source }) => addressEquals(source, 0, view.source, 0));
    if (own.length >= MAX_DATAGRAMS_OF_ONE) this.#drop(own[0]!);
    else if (this.#partials.length >= MAX_DATAGRAMS) this.#drop(this.#partials[0]);
    const partial: Partial = {
      version: view.version,
      source: view.source.slice(),
      destination: view.destination.slice(),
      id: view.fragmentId,
      protocol: view.protocol,
      deadlineMs: nowMs + (view.version === 4 ? LIFETIME_MS_4 : LIFETIME_MS_6),
      ranges: new ByteRanges(),
      bytes: NOTHING,
      length: -1,
      fragments: 0,
      first: undefined,
      firstHeaderBytes: 0,
      isMarked: false,
    };
    this.#partials.push(partial);
    return partial;
  }

  #isConsistent(partial: Partial, view: IpView, end: number): boolean {
    if (++partial.fragments > MAX_FRAGMENTS) return false;
    if (!view.hasMoreFragments && partial.length >= 0 && partial.length !== end) return false;
    if (partial.length >= 0 && end > partial.length) return false;
    const { ranges } = partial;
    if (!view.hasMoreFragments && ranges.count > 0 && ranges.end(ranges.count - 1) > end) return false;
    return view.version === 4 || !this.#overlaps(ranges, view.fragmentOffset, end);
  }

  /** An exact repeat is no overlap (RFC 5722 allows to take it for one; a network that duplicates is ordinary). */
  #overlaps(ranges: ByteRanges, start: number, end: number): boolean {
    if (ranges.covers(start, end)) return false;
    for (let i = 0; i < ranges.count; i++) if (ranges.start(i) < end && start < ranges.end(i)) return true;
    return false;
  }

  #store(partial: Partial, view: IpView, bytes: Uint8Array, end: number): void {
    if (partial.bytes.length < end) this.#growTo(partial, end);
    for (let i = 0; i < view.payloadBytes; ) i += this.#storeFree(partial, view, bytes, i);
    partial.ranges.add(view.fragmentOffset, end);
    if (!view.hasMoreFragments) partial.length = end;
    if ((view.trafficClass & ECN_MASK) === ECN_CONGESTION_EXPERIENCED) partial.isMarked = true;
    if (view.fragmentOffset > 0 || partial.first !== undefined) return;
    partial.protocol = view.protocol;
    partial.first = bytes.slice(view.at, view.payloadAt + view.payloadBytes);
    partial.firstHeaderBytes = view.payloadAt - view.at;
  }

  /** Copies bytes up to the next ones that are there already, and steps over those. @returns Bytes dealt with. */
  #storeFree(partial: Partial, view: IpView, bytes: Uint8Array, from: number): number {
    const at = view.fragmentOffset + from;
    const { ranges } = partial;
    let end = view.fragmentOffset + view.payloadBytes;
    for (let i = 0; i < ranges.count; i++) {
      if (ranges.start(i) <= at && at < ranges.end(i)) return Math.min(ranges.end(i), end) - at;
      if (ranges.start(i) > at) end = Math.min(end, ranges.start(i));
    }
    partial.bytes.set(bytes.subarray(view.payloadAt + from, view.payloadAt + from + (end - at)), at);
    return end - at;
  }

  #growTo(partial: Partial, length: number): void {
    const grown = new Uint8Array(Math.min(Math.max(2 * partial.bytes.length, length), MAX_DATAGRAM_BYTES));
    grown.set(partial.bytes);
    this.#bytes += grown.length - partial.bytes.length;
    partial.bytes = grown;
    this.#shrinkShare(partial);
    while (this.#bytes > MAX_BYTES && this.#partials[0] !== partial) this.#drop(this.#partials[0]);
  }

  /** Drops the oldest datagrams of a sender that holds too much. */
  #shrinkShare(partial: Partial): void {
    const own = this.#partials.filter(({ source }) => addressEquals(source, 0, partial.source, 0));
    let bytes = own.reduce((sum, { bytes: { length } }) => sum + length, 0);
    for (const other of own) {
      if (bytes <= MAX_BYTES_OF_ONE || other === partial) return;
      bytes -= other.bytes.length;
      this.#drop(other);
    }
  }

  #takeIfWhole(partial: Partial, view: IpView): Uint8Array | undefined {
    if (partial.length < 0 || !partial.ranges.covers(0, partial.length)) return undefined;
    view.protocol = partial.protocol;
    if (partial.isMarked) view.trafficClass |= ECN_CONGESTION_EXPERIENCED;
    this.head = partial.first!.subarray(0, partial.firstHeaderBytes);
    this.#remove(partial);
    return partial.bytes.subarray(0, partial.length);
  }

  #drop(partial: Partial): void {
    this.dropped++;
    this.#remove(partial);
  }

  #remove(partial: Partial): void {
    this.#bytes -= partial.bytes.length;
    this.#partials.splice(this.#partials.indexOf(partial), 1);
  }
}

/** RFC 8200 §4.5: the first fragment holds all headers. The least of them, that of UDP, has eight bytes; extensions may not follow. */
function lacksTransportHeader({ version, fragmentOffset, hasMoreFragments, protocol, payloadBytes }: IpView): boolean {
  if (version === 4 || fragmentOffset > 0 || !hasMoreFragments) return false;
  return isExtension(protocol) || payloadBytes < (protocol === PROTOCOL_TCP ? TCP_HEADER_BYTES : UDP_HEADER_BYTES);
}
