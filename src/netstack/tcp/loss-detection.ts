import { CLOCK_RESOLUTION_MS } from '../constants.js';
import { addSequence, earlierSequence, isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';
import type { RoundTripTime } from './round-trip-time.js';
import { LOST, RETRANSMITTED, SACKED, type SendRecords } from './send-records.js';
import type { TcpSegment } from './tcp-segment.js';

const DUPLICATE_THRESHOLD = 3;
/** SACK cuts records no further than this, so that a peer which reports single bytes does not make every ACK dear (CVE-2019-11478). */
const MAX_CUT_RECORDS = 4_096;
/** RFC 8985 §6.2 step 4: recoveries after which a widened reordering window is narrowed again. */
const REORDERING_PERSISTS_RECOVERIES = 16;

/** The delivery that one ACK reported. The fields are used again for every ACK. */
export class Delivery {
  /** Bytes that this ACK reported for the first time, by number or by SACK. */
  bytes = 0;
  /** Round trip of the newest record that was sent once; −1: none. */
  rttMs = -1;
  /** The ACK covers bytes that were sent twice, so it measures nothing (Karn, RFC 6298 §3). */
  isAmbiguous = false;
  /** The first block reported bytes that had arrived before (RFC 2883 §4). */
  isDuplicateSack = false;
  hasNewSack = false;

  clear(): void {
    this.bytes = 0;
    this.rttMs = -1;
    this.isAmbiguous = false;
    this.isDuplicateSack = false;
    this.hasNewSack = false;
  }
}

/** One for all connections: it is read before the next segment is taken in. */
const DELIVERY = new Delivery();

/**
 * Finds what was lost: RACK by the time of sending, or three duplicate ACKs where the peer sends no SACK.
 *
 * A record is lost when something sent later arrived, and a reordering window has passed besides. Times are compared
 * with the resolution of the clock in mind: records that left in one millisecond are ordered by sequence number.
 *
 * Source: RFC 8985 §6; RFC 2018 §8; RFC 2883; RFC 5681 §3.2.
 */
export class LossDetection {
  readonly delivery = DELIVERY;
  /** When records in flight may turn out lost, without another ACK; `Infinity`: no such record. */
  reorderingDeadlineMs = Infinity;
  duplicateAcks = 0;

  readonly #records: SendRecords;
  readonly #rtt: RoundTripTime;
  /** Facts of the record that was sent last among those that arrived. */
  #newestSentMs = 0;
  #newestEnd = 0;
  #newestRttMs = 0;
  #hasNewest = false;
  #greatestDelivered = 0;
  #isReorderingSeen = false;
  #windowMultiplier = 1;
  #recoveriesLeft = 0;
  #wideningRoundEnd = 0;
  /** The stamp that the ACK echoes, on our clock. */
  #echoedMs = 0;
  #hasEcho = false;

  constructor(records: SendRecords, rtt: RoundTripTime) {
    this.#records = records;
    this.#rtt = rtt;
  }

  start(una: number): void {
    this.#greatestDelivered = una;
    this.#wideningRoundEnd = una;
  }

  /**
   * Takes the ACK number and the SACK blocks of a segment into the records.
   *
   * @param una SND.UNA before it.
   * @param timestampOffset Of our stamps from the clock.
   */
  takeAck(segment: TcpSegment, una: number, timestampOffset: number, nowMs: number): void {
    const { delivery } = this;
    delivery.clear();
    this.#hasEcho = segment.hasTimestamps && segment.timestampEcho !== 0;
    this.#echoedMs = (segment.timestampEcho - timestampOffset) | 0;
    this.#takeSacks(segment, una, nowMs);
    this.#takeAcknowledged(segment, nowMs);
  }

  /** Marks as lost what RACK finds. @returns Whether a record was marked. */
  findLost(isInRecovery: boolean, nowMs: number): boolean {
    this.reorderingDeadlineMs = Infinity;
    if (!this.#hasNewest) return false;
    const records = this.#records;
    const windowMs = this.#reorderingWindowMs(isInRecovery) + CLOCK_RESOLUTION_MS;
    let isFound = false;
    for (let i = 0; i < records.count; i++) {
      if (records.has(i, SACKED | LOST)) continue;
      if (!this.#wasSentBeforeNewest(i)) continue;
      const lostAtMs = records.sentMs(i) + this.#newestRttMs + windowMs;
      if (((lostAtMs - nowMs) | 0) <= 0) {
        records.markLost(i);
        isFound = true;
      } else this.reorderingDeadlineMs = Math.min(this.reorderingDeadlineMs, nowMs + ((lostAtMs - nowMs) | 0));
    }
    return isFound;
  }

  /**
   * RFC 5681 §3.2, for a peer without SACK: the first segment is lost at the third duplicate, unless it is being repaired
   * (RFC 6582 §3.2 step 1).
   *
   * @returns Whether it is lost.
   */
  duplicateAck(una: number, mss: number, isInRecovery: boolean): boolean {
    this.duplicateAcks++;
    if (isInRecovery || this.duplicateAcks !== DUPLICATE_THRESHOLD) return false;
    this.markFirstLost(una, mss);
    return true;
  }

  /** A partial ACK of a peer without SACK covers what earlier duplicates stood for, but for the hole (RFC 6582 §3.2). */
  partialAck(segments: number): void {
    this.duplicateAcks = Math.max(this.duplicateAcks - Math.max(segments - 1, 0), 0);
  }

  /** Marks the first segment as lost: at a third duplicate, and at a partial ACK in recovery (RFC 6582 §3.2). */
  markFirstLost(una: number, mss: number): void {
    const records = this.#records;
    if (records.count === 0) return;
    records.splitAt(earlierSequence(addSequence(una, mss), records.end(0)));
    records.markLost(0);
  }

  /**
   * After a timeout all that was not SACKed is lost (RFC 8985 §6.3). A peer may have dropped what it SACKed (RFC 2018 §8): that
   * counts as lost, too, if it is first, or when a repeated timeout shows that nothing moves.
   */
  markAllLost(isRepeated: boolean): void {
    const records = this.#records;
    if (records.count > 0 && (isRepeated || records.has(0, SACKED))) records.clearSacked();
    for (let i = 0; i < records.count; i++) records.markLost(i);
    this.reorderingDeadlineMs = Infinity;
  }

  recoveryEnded(): void {
    this.duplicateAcks = 0;
    if (this.#recoveriesLeft > 0 && --this.#recoveriesLeft === 0) this.#windowMultiplier = 1;
  }

  #takeSacks(segment: TcpSegment, una: number, nowMs: number): void {
    const records = this.#records;
    const sndNxt = records.endOr(una);
    for (let block = 0; block < segment.sackCount; block++) {
      const left = segment.sacks[2 * block];
      const right = segment.sacks[2 * block + 1];
      if (block === 0 && this.#isDuplicateSack(segment, left, right)) {
        this.delivery.isDuplicateSack = true;
        this.#widenWindow(segment.acknowledgment, sndNxt);
        continue;
      }
      // A block outside of what is in flight is a mistake or an attack (RFC 2018 §4).
      if (!isBefore(left, right) || isBefore(left, una) || isBefore(sndNxt, right)) continue;
      this.#takeSack(left, right, nowMs);
    }
  }

  #takeSack(left: number, right: number, nowMs: number): void {
    const records = this.#records;
    if (records.count < MAX_CUT_RECORDS) {
      records.splitAt(left);
      records.splitAt(right);
    }
    for (let i = records.indexOf(left); i >= 0 && i < records.count && isBefore(records.start(i), right); i++) {
      if (records.has(i, SACKED) || isBefore(records.start(i), left) || isBefore(right, records.end(i))) continue;
      this.#delivered(i, false, nowMs);
      records.markSacked(i);
      this.delivery.hasNewSack = true;
    }
  }

  #takeAcknowledged(segment: TcpSegment, nowMs: number): void {
    const records = this.#records;
    const ack = segment.acknowledgment;
    records.splitAt(ack);
    while (records.count > 0 && isAtOrBefore(records.end(0), ack)) {
      if (!records.has(0, SACKED)) this.#delivered(0, true, nowMs);
      records.shift();
    }
  }

  /** RFC 8985 §6.2 steps 1 to 3, for one record that arrived. @param isByNumber By the ACK number, not by SACK. */
  #delivered(index: number, isByNumber: boolean, nowMs: number): void {
    const records = this.#records;
    const { delivery } = this;
    const end = records.end(index);
    const isOriginal = !records.has(index, RETRANSMITTED);
    const rttMs = (nowMs - records.sentMs(index)) | 0;
    delivery.bytes += records.bytes(index);
    if (isOriginal) {
      delivery.rttMs = rttMs;
      if (isBefore(end, this.#greatestDelivered)) this.#isReorderingSeen = true;
    } else {
      delivery.isAmbiguous = true;
      if (this.#isOfFirstSending(records.sentMs(index), rttMs, isByNumber)) return;
    }
    if (isBefore(this.#greatestDelivered, end)) this.#greatestDelivered = end;
    if (this.#hasNewest && this.#wasSentBefore(records.sentMs(index), end)) return;
    this.#newestSentMs = records.sentMs(index);
    this.#newestEnd = end;
    this.#newestRttMs = Math.max(rttMs, CLOCK_RESOLUTION_MS);
    this.#hasNewest = true;
  }

  /**
   * RFC 8985 §6.2 step 2: the ACK came too soon for the second sending, or echoes a stamp from before it.
   *
   * A stamp says so of what the ACK number covers only: while there is a hole, a receiver echoes the stamp of the segment in
   * front of it (RFC 7323 §4.3), whatever arrives behind. Taken for a sign, it would hide that a retransmission was lost.
   */
  #isOfFirstSending(resentMs: number, rttMs: number, isByNumber: boolean): boolean {
    if (isByNumber && this.#hasEcho && ((this.#echoedMs - resentMs) | 0) < 0) return true;
    return rttMs < this.#rtt.minMs;
  }

  #wasSentBeforeNewest(index: number): boolean {
    return this.#wasSentBefore(this.#records.sentMs(index), this.#records.end(index));
  }

  /** Order of sending; the sequence number decides between equal stamps (RFC 8985 §6.2, RACK_sent_after). */
  #wasSentBefore(sentMs: number, end: number): boolean {
    const differenceMs = (sentMs - this.#newestSentMs) | 0;
    return differenceMs < 0 || (differenceMs === 0 && isBefore(end, this.#newestEnd));
  }

  #reorderingWindowMs(isInRecovery: boolean): number {
    if (!this.#isReorderingSeen && (isInRecovery || this.#sackedSegmentsReach())) return 0;
    const minMs = this.#rtt.minMs === Infinity ? 0 : this.#rtt.minMs;
    return Math.min((minMs / 4) * this.#windowMultiplier, Math.max(this.#rtt.smoothedMs, 0));
  }

  /** RFC 8985 §6.2 step 4: three SACKed segments are evidence enough while no reordering was seen. */
  #sackedSegmentsReach(): boolean {
    let sacked = 0;
    for (let i = 0; i < this.#records.count && sacked < DUPLICATE_THRESHOLD; i++)
      if (this.#records.has(i, SACKED)) sacked += Math.ceil(this.#records.bytes(i) / 1_460);
    return sacked >= DUPLICATE_THRESHOLD;
  }

  /** RFC 2883 §4: a first block at or in front of the ACK number, or inside the second block. */
  #isDuplicateSack(segment: TcpSegment, left: number, right: number): boolean {
    if (!isBefore(segment.acknowledgment, right) && sequenceDistance(left, segment.acknowledgment) > 0) return true;
    if (segment.sackCount < 2) return false;
    return isAtOrBefore(segment.sacks[2], left) && isAtOrBefore(right, segment.sacks[3]);
  }

  #widenWindow(acknowledgment: number, sndNxt: number): void {
    this.#isReorderingSeen = true;
    this.#recoveriesLeft = REORDERING_PERSISTS_RECOVERIES;
    if (isBefore(acknowledgment, this.#wideningRoundEnd)) return;
    this.#windowMultiplier++;
    this.#wideningRoundEnd = sndNxt;
  }
}
