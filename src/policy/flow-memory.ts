/** The table is sets × WAYS flows. */
const SETS = 1_024;
const WAYS = 4;
const KEY_WORDS = 4;

/** Flags of a flow between two devices, as seen from the end with the lower number. */
const BEGUN_BY_LOW = 1;
const BEGUN_BY_HIGH = 2;
const ALLOWED_FROM_LOW = 4;
const ALLOWED_FROM_HIGH = 8;

const PROTOCOL_TCP = 6;
/** Datagram fragments are remembered under a protocol that no packet has. */
const FRAGMENTS = 0x100;

/** RFC 5382 REQ-5: at least 2 hours and 4 minutes. */
const TCP_IDLE_MS = 124 * 60_000;
/** RFC 4787 REQ-5: five minutes are recommended. */
const DATAGRAM_IDLE_MS = 5 * 60_000;
/** RFC 791 §3.2: what a reassembler waits is bounded; hosts wait 30 to 60 seconds. */
const FRAGMENT_IDLE_MS = 60_000;

/**
 * Decides about the selected flow, when the memory does not know it.
 *
 * @param isTurned As begun by the other end: from the destination of the packet at hand to its source.
 */
export type Ask = (isTurned: boolean) => boolean;

/**
 * Remembers which flows may pass, and thereby lets their answers pass.
 *
 * One record holds both directions of a flow. The table has a fixed size. A flow that had to make room is decided about
 * again with the next packet of the device that began it. Once rules have changed, each record is decided about again.
 */
export class FlowMemory {
  readonly #keys: Int32Array;
  readonly #flags: Uint8Array;
  readonly #generations: Float64Array;
  readonly #seenMs: Float64Array;
  readonly #seed: number;
  readonly #sets: number;
  // The key of the flow at hand.
  #low = 0;
  #high = 0;
  #ports = 0;
  #protocol = 0;
  #isFromLow = false;

  /**
   * @param seed Random, so that no device can choose ports that displace the flows of another one.
   * @param sets A power of 2: four flows each.
   */
  constructor(seed: number, sets = SETS) {
    this.#seed = seed;
    this.#sets = sets;
    this.#keys = new Int32Array(sets * WAYS * KEY_WORDS);
    this.#flags = new Uint8Array(sets * WAYS);
    this.#generations = new Float64Array(sets * WAYS).fill(-1);
    this.#seenMs = new Float64Array(sets * WAYS).fill(-Infinity);
  }

  /** Names the flow that the next calls are about, as a packet on it shows it. Ends are numbers of addresses. */
  select(from: number, to: number, protocol: number, sourcePort: number, destinationPort: number): void {
    // An address that talks to itself has its two directions told apart by the ports.
    this.#isFromLow = from < to || (from === to && sourcePort <= destinationPort);
    this.#low = this.#isFromLow ? from : to;
    this.#high = this.#isFromLow ? to : from;
    this.#ports = this.#isFromLow ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    this.#protocol = protocol;
  }

  /** Names a datagram in fragments: only this direction of it. */
  selectFragments(from: number, to: number, protocol: number, id: number): void {
    this.#isFromLow = true;
    this.#low = from;
    this.#high = to;
    this.#ports = id;
    this.#protocol = protocol | FRAGMENTS;
  }

  /**
   * Tells whether a packet of the selected flow may pass, and asks about what is not known.
   *
   * @param generation Other than that of the record: the rules have changed since.
   */
  passes(generation: number, ask: Ask, nowMs: number): boolean {
    const place = this.#findOrMake(nowMs);
    const begun = this.#isFromLow ? BEGUN_BY_LOW : BEGUN_BY_HIGH;
    this.#renew(place, generation, ask);
    if ((this.#flags[place] & (ALLOWED_FROM_LOW | ALLOWED_FROM_HIGH)) === 0 && (this.#flags[place] & begun) === 0) {
      this.#flags[place] |= begun;
      if (ask(false)) this.#flags[place] |= this.#isFromLow ? ALLOWED_FROM_LOW : ALLOWED_FROM_HIGH;
    }
    return this.#pass(place, nowMs);
  }

  /** Tells whether the selected flow is known and may pass, in either direction, and asks again once the rules have changed. */
  stillPasses(generation: number, ask: Ask, nowMs: number): boolean {
    const place = this.#find(nowMs);
    if (place < 0) return false;
    this.#renew(place, generation, ask);
    return this.#isAllowed(place);
  }

  /** Tells whether the selected flow is known and may pass, in either direction. Nothing is asked and nothing kept. */
  isPassing(generation: number, nowMs: number): boolean {
    const place = this.#find(nowMs);
    return place >= 0 && this.#generations[place] === generation && this.#isAllowed(place);
  }

  /** Remembers the selected flow as allowed in the selected direction. */
  allow(generation: number, nowMs: number): void {
    const place = this.#findOrMake(nowMs);
    this.#flags[place] = this.#isFromLow ? BEGUN_BY_LOW | ALLOWED_FROM_LOW : BEGUN_BY_HIGH | ALLOWED_FROM_HIGH;
    this.#generations[place] = generation;
    this.#seenMs[place] = nowMs;
  }

  #renew(place: number, generation: number, ask: Ask): void {
    if (this.#generations[place] === generation) return;
    this.#flags[place] &= BEGUN_BY_LOW | BEGUN_BY_HIGH;
    this.#askAgain(place, ask);
    this.#generations[place] = generation;
  }

  #askAgain(place: number, ask: Ask): void {
    const flags = this.#flags[place];
    if ((flags & BEGUN_BY_LOW) !== 0 && ask(!this.#isFromLow)) this.#flags[place] |= ALLOWED_FROM_LOW;
    if ((flags & BEGUN_BY_HIGH) !== 0 && ask(this.#isFromLow)) this.#flags[place] |= ALLOWED_FROM_HIGH;
  }

  /** Only those who may begin the flow keep it alive (RFC 4787 REQ-6). */
  #pass(place: number, nowMs: number): boolean {
    const mayBegin = this.#isFromLow ? ALLOWED_FROM_LOW : ALLOWED_FROM_HIGH;
    if ((this.#flags[place] & mayBegin) !== 0) this.#seenMs[place] = nowMs;
    return this.#isAllowed(place);
  }

  #isAllowed(place: number): boolean {
    return (this.#flags[place] & (ALLOWED_FROM_LOW | ALLOWED_FROM_HIGH)) !== 0;
  }

  #findOrMake(nowMs: number): number {
    const found = this.#find(nowMs);
    if (found >= 0) return found;
    const place = this.#placeForNew(nowMs);
    this.#writeKey(place * KEY_WORDS);
    this.#flags[place] = 0;
    this.#generations[place] = -1;
    this.#seenMs[place] = nowMs;
    return place;
  }

  /** Takes the place of a denied flow of the set, so that a port scan cannot displace much, or else of the most silent one. */
  #placeForNew(nowMs: number): number {
    const first = this.#firstOfSet();
    let best = first;
    let mostSilentMs = -1;
    for (let place = first; place < first + WAYS; place++) {
      const silentMs = this.#isAllowed(place) ? nowMs - this.#seenMs[place] : Infinity;
      if (silentMs <= mostSilentMs) continue;
      best = place;
      mostSilentMs = silentMs;
    }
    return best;
  }

  #find(nowMs: number): number {
    const first = this.#firstOfSet();
    const idleMs = idleMsOf(this.#protocol);
    for (let place = first; place < first + WAYS; place++)
      if (nowMs - this.#seenMs[place] < idleMs && this.#hasKey(place * KEY_WORDS)) return place;
    return -1;
  }

  #hasKey(at: number): boolean {
    const keys = this.#keys;
    return (
      keys[at] === this.#low &&
      keys[at + 1] === this.#high &&
      keys[at + 2] === this.#ports &&
      keys[at + 3] === this.#protocol
    );
  }

  #writeKey(at: number): void {
    this.#keys[at] = this.#low;
    this.#keys[at + 1] = this.#high;
    this.#keys[at + 2] = this.#ports;
    this.#keys[at + 3] = this.#protocol;
  }

  #firstOfSet(): number {
    let mixed = Math.imul(this.#seed ^ this.#low ^ (this.#protocol << 20), 0x9e37_79b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15) ^ this.#high, 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ this.#ports, 0xc2b2_ae35);
    return ((mixed ^ (mixed >>> 16)) & (this.#sets - 1)) * WAYS;
  }
}

function idleMsOf(protocol: number): number {
  if (protocol >= FRAGMENTS) return FRAGMENT_IDLE_MS;
  return protocol === PROTOCOL_TCP ? TCP_IDLE_MS : DATAGRAM_IDLE_MS;
}
