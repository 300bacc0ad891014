import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { WINDOW_SHIFT } from '../constants.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import { FIRST_WINDOW, type HalfOpen, HandshakeAnswer } from './half-open.js';
import { ACK, ECE, SYN, TCP_HEADER_BYTES } from './tcp-segment.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';

/**
 * Writes the SYN-ACKs and the challenge ACKs of half-open connections.
 *
 * Source: RFC 9293 §3.10.7.2, §3.10.7.4; RFC 7323 §2.2; RFC 3168 §6.1.1.
 */
export class HandshakeAnswers {
  readonly #host: { readonly mtu: number };
  readonly #header = new SegmentHeader();

  /** @param host Has the MTU of the tunnel. */
  constructor(host: { readonly mtu: number }) {
    this.#host = host;
  }

  /** Writes what a request owes. @returns `false` if the batch is full. */
  emit(request: HalfOpen, batch: PacketBatch, nowMs: number): boolean {
    if (request.owed === HandshakeAnswer.None) return true;
    const header = this.#header;
    const { options } = request;
    header.address(request);
    header.acknowledgment = request.rcvNxt;
    if (request.owed === HandshakeAnswer.SynAck) this.#fillSynAck(request);
    else this.#fillAcknowledgment(request);
    header.hasTimestamps = options.hasTimestamps;
    header.timestampValue = (nowMs + request.timestampOffset) | 0;
    header.timestampEcho = request.tsRecent;
    const row = batch.appendRow(header.headerBytes);
    if (row < 0) return false;
    writeSegment(batch.bytes, batch.offset[row], header);
    if (request.owed === HandshakeAnswer.SynAck && request.retries === 0) request.sentMs = nowMs;
    request.owed = HandshakeAnswer.None;
    return true;
  }

  #fillSynAck(request: HalfOpen): void {
    const header = this.#header;
    const { options } = request;
    header.sequence = request.iss;
    header.flags = SYN | ACK | (options.wantsEcn ? ECE : 0);
    header.window = FIRST_WINDOW;
    header.mss = this.#host.mtu - ipHeaderBytes(request.remote) - TCP_HEADER_BYTES;
    header.windowShift = options.windowShift >= 0 ? WINDOW_SHIFT : -1;
    header.isSackPermitted = options.isSackPermitted;
  }

  #fillAcknowledgment(request: HalfOpen): void {
    this.#header.sequence = request.sndNxt;
    this.#header.flags = ACK;
    this.#header.window = FIRST_WINDOW >> (request.options.windowShift >= 0 ? WINDOW_SHIFT : 0);
  }
}
