import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { CHALLENGE_ACK_INTERVAL_MS } from '../constants.js';
import { ACK, type TcpSegment } from './tcp-segment.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';
import type { TimeWait } from './time-wait.js';

/** ACKs from TIME-WAIT: the peer's FIN came again, because our last ACK was lost (RFC 9293 §3.10.7.4). */
export class TimeWaitReplies {
  readonly #waiting: TimeWait[] = [];
  readonly #header = new SegmentHeader();

  get count(): number {
    return this.#waiting.length;
  }

  push(record: TimeWait): void {
    if (record.mustAnswer) return;
    record.mustAnswer = true;
    this.#waiting.push(record);
  }

  /** Answers at a bounded rate what takes no sequence space, so that two ends never answer each other for ever. */
  answer(record: TimeWait, segment: TcpSegment, nowMs: number): void {
    if (segment.sequenceBytes === 0 && nowMs - record.lastAnswerMs < CHALLENGE_ACK_INTERVAL_MS) return;
    record.lastAnswerMs = nowMs;
    this.push(record);
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch, nowMs: number): boolean {
    const header = this.#header;
    for (let record = this.#waiting[0]; record !== undefined; record = this.#waiting[0]) {
      header.clearOptions();
      header.source = record.local;
      header.destination = record.remote;
      header.sourcePort = record.localPort;
      header.destinationPort = record.remotePort;
      header.sequence = record.sndNxt;
      header.acknowledgment = record.rcvNxt;
      header.flags = ACK;
      header.window = 0;
      header.hasTimestamps = record.hasTimestamps;
      header.timestampValue = (nowMs + record.timestampOffset) | 0;
      header.timestampEcho = record.tsRecent;
      const row = batch.appendRow(header.headerBytes);
      if (row < 0) return false;
      writeSegment(batch.bytes, batch.offset[row], header, 0);
      record.mustAnswer = false;
      this.#waiting.shift();
    }
    return true;
  }
}
