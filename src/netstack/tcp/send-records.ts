import { addSequence, isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';

/** The peer reported the bytes by SACK. */
export const SACKED = 1;
/** Taken for lost, and not sent again yet. */
export const LOST = 2;
/** Sent more than once. */
export const RETRANSMITTED = 4;

const FIELDS = 4;
const START = 0;
const END = 1;
const SENT_MS = 2;
const FLAGS = 3;
/** Sixteen words are 64 bytes, the most that V8 stores without a buffer outside of its heap. */
const INITIAL_CAPACITY = 4;
/** Shared by all connections that have nothing in flight. */
const NO_RECORDS = new Int32Array(0);

/**
 * The data in flight: one record for each run of segments that left at once, oldest sequence number first.
 *
 * 64 KiB in flight are one to three records, where a queue of packets would have 46. A record is cut where an ACK, a SACK
 * or a shorter retransmission ends inside it. The records cover SND.UNA to SND.NXT without a gap, SYN and FIN included.
 *
 * Source: RFC 8985 §5 (per-segment variables), RFC 6675 §3 (scoreboard).
 */
export class SendRecords {
  #fields = NO_RECORDS;
  #first = 0;
  #count = 0;
  /** Sequence space that is neither SACKed nor lost: `pipe` of RFC 6675 §3. */
  inFlight = 0;
  sackedBytes = 0;
  lostBytes = 0;

  get count(): number {
    return this.#count;
  }

  start(index: number): number {
    return this.#fields[this.#at(index) + START];
  }

  end(index: number): number {
    return this.#fields[this.#at(index) + END];
  }

  bytes(index: number): number {
    return sequenceDistance(this.start(index), this.end(index));
  }

  sentMs(index: number): number {
    return this.#fields[this.#at(index) + SENT_MS];
  }

  flags(index: number): number {
    return this.#fields[this.#at(index) + FLAGS];
  }

  has(index: number, flag: number): boolean {
    return (this.flags(index) & flag) !== 0;
  }

  append(start: number, end: number, nowMs: number): void {
    this.#reserve();
    const at = this.#at(this.#count++);
    this.#fields[at + START] = start;
    this.#fields[at + END] = end;
    this.#fields[at + SENT_MS] = nowMs | 0;
    this.#fields[at + FLAGS] = 0;
    this.inFlight += sequenceDistance(start, end);
  }

  markSacked(index: number): void {
    if (this.has(index, SACKED)) return;
    this.#uncount(index);
    this.sackedBytes += this.bytes(index);
    this.#setFlags(index, (this.flags(index) & ~LOST) | SACKED);
  }

  markLost(index: number): void {
    if (this.has(index, SACKED | LOST)) return;
    this.#uncount(index);
    this.lostBytes += this.bytes(index);
    this.#setFlags(index, this.flags(index) | LOST);
  }

  markRetransmitted(index: number, nowMs: number): void {
    this.#uncount(index);
    this.inFlight += this.bytes(index);
    this.#fields[this.#at(index) + SENT_MS] = nowMs | 0;
    this.#setFlags(index, (this.flags(index) & ~LOST) | RETRANSMITTED);
  }

  /** Takes back that records were lost: the timeout or the recovery was spurious. */
  clearLost(): void {
    for (let i = 0; i < this.#count; i++) {
      if (!this.has(i, LOST)) continue;
      this.#setFlags(i, this.flags(i) & ~LOST);
      this.inFlight += this.bytes(i);
    }
    this.lostBytes = 0;
  }

  /** The peer forgot what it SACKed (RFC 2018 §8): everything counts as in flight again. */
  clearSacked(): void {
    for (let i = 0; i < this.#count; i++) {
      if (!this.has(i, SACKED)) continue;
      this.#setFlags(i, this.flags(i) & ~SACKED);
      this.inFlight += this.bytes(i);
    }
    this.sackedBytes = 0;
  }

  /** Cuts the record that has `sequence` inside, so that one record ends and the next one begins there. */
  splitAt(sequence: number): void {
    const index = this.indexOf(sequence);
    if (index < 0 || this.start(index) === sequence) return;
    this.#reserve();
    for (let i = this.#count; i > index; i--) this.#copyRecord(i - 1, i);
    this.#count++;
    this.#fields[this.#at(index) + END] = sequence;
    this.#fields[this.#at(index + 1) + START] = sequence;
  }

  /** Drops the first record. */
  shift(): void {
    this.#uncount(0);
    this.#first = (this.#first + 1) & (this.#capacity - 1);
    this.#count--;
    if (this.#count === 0) this.#fields = NO_RECORDS;
  }

  clear(): void {
    this.#count = 0;
    this.#fields = NO_RECORDS;
    this.inFlight = 0;
    this.sackedBytes = 0;
    this.lostBytes = 0;
  }

  /** @returns The index of the record that holds `sequence`, by bisection; −1 if none does. */
  indexOf(sequence: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (isBefore(sequence, this.start(middle))) high = middle - 1;
      else if (isAtOrBefore(this.end(middle), sequence)) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  /** The end of the last record, or `una` if there is none. */
  endOr(una: number): number {
    return this.#count === 0 ? una : addSequence(this.end(this.#count - 1), 0);
  }

  get #capacity(): number {
    return this.#fields.length / FIELDS;
  }

  #at(index: number): number {
    return ((this.#first + index) & (this.#capacity - 1)) * FIELDS;
  }

  #setFlags(index: number, flags: number): void {
    this.#fields[this.#at(index) + FLAGS] = flags;
  }

  /** Takes a record out of the sum that it is part of. */
  #uncount(index: number): void {
    const bytes = this.bytes(index);
    if (this.has(index, SACKED)) this.sackedBytes -= bytes;
    else if (this.has(index, LOST)) this.lostBytes -= bytes;
    else this.inFlight -= bytes;
  }

  #copyRecord(from: number, to: number): void {
    const source = this.#at(from);
    const target = this.#at(to);
    for (let i = 0; i < FIELDS; i++) this.#fields[target + i] = this.#fields[source + i];
  }

  /** Makes room for one more record. The capacity is a power of two. */
  #reserve(): void {
    if (this.#count < this.#capacity) return;
    const grown = new Int32Array(Math.max(2 * this.#capacity, INITIAL_CAPACITY) * FIELDS);
    for (let i = 0; i < this.#count; i++)
      for (let field = 0; field < FIELDS; field++) grown[i * FIELDS + field] = this.#fields[this.#at(i) + field];
    this.#fields = grown;
    this.#first = 0;
  }
}
