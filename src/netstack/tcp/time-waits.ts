import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { CHALLENGE_ACK_INTERVAL_MS, MAX_TIME_WAITS, TIME_WAIT_MS } from '../constants.js';
import { isBefore, sequenceDistance } from '../sequence.js';
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

  /**
   * Takes a segment that opens no new connection. The record keeps no window, so nothing but an empty segment at RCV.NXT is
   * acceptable (RFC 9293 §3.4).
   */
  arrive(record: TimeWait, segment: TcpSegment, nowMs: number): void {
    if (segment.has(RST)) return;
    if (isLastFin(record, segment)) record.deadlineMs = nowMs + TIME_WAIT_MS;
    const isInPlace = segment.sequenceBytes === 0 && segment.sequence === record.rcvNxt;
    if (!isInPlace || !isAckAcceptable(record, segment)) this.#answer(record, segment, nowMs);
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

/** Tests whether a SYN cannot be an old one of the connection that is over (RFC 6191 §2). */
export function isNewConnection(record: TimeWait, segment: TcpSegment): boolean {
  if (!segment.has(SYN) || segment.has(ACK | RST)) return false;
  const isBehind = isBefore(record.rcvNxt, segment.sequence);
  if (!segment.hasTimestamps) return isBehind;
  const age = sequenceDistance(record.tsRecent, segment.timestampValue);
  return !record.hasTimestamps || age > 0 || (age === 0 && isBehind);
}

/** The peer's FIN again: it did not get our last ACK. */
function isLastFin(record: TimeWait, segment: TcpSegment): boolean {
  return segment.has(FIN) && segment.has(ACK) && !segment.has(SYN) && segment.end === record.rcvNxt;
}

/** RFC 5961 §5.2. Everything that was sent is acknowledged, so SND.UNA is SND.NXT. */
function isAckAcceptable(record: TimeWait, segment: TcpSegment): boolean {
  if (!segment.has(ACK)) return true;
  const behind = sequenceDistance(segment.acknowledgment, record.sndNxt);
  return behind >= 0 && behind <= record.maxSndWnd;
}
