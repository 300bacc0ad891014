import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { CHALLENGE_ACK_INTERVAL_MS, MAX_TIME_WAITS, TIME_WAIT_MS } from '../constants.js';
import { isBefore } from '../sequence.js';
import type { TcpFlow } from './tcp-flow.js';
import { ACK, FIN, RST, SYN, type TcpSegment } from './tcp-segment.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';
import { TimeWait } from './time-wait.js';

/**
 * The connections in TIME-WAIT, and the ACKs that they still send: the peer's FIN came again, because the last ACK was lost.
 *
 * Source: RFC 9293 §3.10.7.4 (TIME-WAIT); RFC 1337 (RST is ignored); RFC 6191 §2 (a new SYN).
 */
export class TimeWaits {
  readonly #records = new Set<TimeWait>();
  readonly #waiting: TimeWait[] = [];
  readonly #header = new SegmentHeader();

  /** ACKs that wait for the next batch. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** The oldest record, if there are too many. */
  get surplus(): TimeWait | undefined {
    if (this.#records.size <= MAX_TIME_WAITS) return undefined;
    const [oldest] = this.#records;
    return oldest;
  }

  add(flow: TcpFlow, nowMs: number): TimeWait {
    const record = new TimeWait(flow, nowMs + TIME_WAIT_MS);
    this.#records.add(record);
    return record;
  }

  remove(record: TimeWait): void {
    record.deadlineMs = Infinity;
    this.#records.delete(record);
  }

  /** Takes a segment for a record. @returns `true` if it opens a new connection: the record has to go. */
  arrive(record: TimeWait, segment: TcpSegment, nowMs: number): boolean {
    if (segment.has(RST)) return false;
    if (segment.has(SYN) && isNewConnection(record, segment)) return true;
    if (segment.has(FIN)) record.deadlineMs = nowMs + TIME_WAIT_MS;
    if (segment.sequenceBytes > 0 || segment.sequence !== record.rcvNxt) this.#answer(record, segment, nowMs);
    return false;
  }

  acknowledge(record: TimeWait): void {
    if (record.mustAnswer) return;
    record.mustAnswer = true;
    this.#waiting.push(record);
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch, nowMs: number): boolean {
    for (let record = this.#waiting[0]; record !== undefined; record = this.#waiting[0]) {
      this.#fillHeader(record, nowMs);
      const row = batch.appendRow(this.#header.headerBytes);
      if (row < 0) return false;
      writeSegment(batch.bytes, batch.offset[row], this.#header);
      record.mustAnswer = false;
      this.#waiting.shift();
    }
    return true;
  }

  /** Segments that take no sequence space are answered at a bounded rate, so that two ends never answer each other for ever. */
  #answer(record: TimeWait, segment: TcpSegment, nowMs: number): void {
    if (segment.sequenceBytes === 0 && nowMs - record.lastAnswerMs < CHALLENGE_ACK_INTERVAL_MS) return;
    record.lastAnswerMs = nowMs;
    this.acknowledge(record);
  }

  #fillHeader(record: TimeWait, nowMs: number): void {
    const header = this.#header;
    header.address(record);
    header.sequence = record.sndNxt;
    header.acknowledgment = record.rcvNxt;
    header.flags = ACK;
    header.window = 0;
    header.hasTimestamps = record.hasTimestamps;
    header.timestampValue = (nowMs + record.timestampOffset) | 0;
    header.timestampEcho = record.tsRecent;
  }
}

function isNewConnection(record: TimeWait, segment: TcpSegment): boolean {
  if (record.hasTimestamps && segment.hasTimestamps) return ((segment.timestampValue - record.tsRecent) | 0) > 0;
  return isBefore(record.rcvNxt, segment.sequence);
}
