import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import { type Segmenter, SuperSegment } from '../segments/segmenter.js';
import { addSequence, isBefore, laterSequence, sequenceDistance } from '../sequence.js';
import type { FlowTimers } from './flow-timers.js';
import { narrowToLink, probeBytes, probeMtu } from './path-mtu.js';
import type { PathSearch } from './path-search.js';
import { congestionAllowance, noteReported, sackBlocks, segmentBytes, sendableBytes } from './send-limits.js';
import { LOST } from './send-records.js';
import type { TcpContext } from './tcp-context.js';
import { AckOwed, Recovery, type TcpFlow } from './tcp-flow.js';
import { ACK, CWR, ECE, FIN, PSH, SYN, TCP_HEADER_BYTES } from './tcp-segment.js';
import { isSynchronized, TcpState } from './tcp-state.js';
import { SegmentHeader, writeHeaders, writeSegment } from './tcp-writer.js';

const MAX_WINDOW_FIELD = 0xffff;
const ECN_CAPABLE = 2;

/**
 * Writes the segments that a connection may send, in the order in which they matter: SYN, what was lost, what is new, FIN, and
 * an ACK if none of them carried it.
 *
 * SND.NXT moves only for rows that the batch took: what it has no room for goes out with the next one.
 *
 * Source: RFC 9293 §3.7.4, §3.8.6.2.1 (Nagle, silly window), §3.10.7; RFC 6675 §5; RFC 8985 §7.3; RFC 9937.
 */
export class SegmentEmission {
  readonly #context: TcpContext;
  readonly #timers: FlowTimers;
  readonly #segmenter: Segmenter;
  readonly #header = new SegmentHeader();
  readonly #run = new SuperSegment();

  constructor(context: TcpContext, timers: FlowTimers, segmenter: Segmenter) {
    this.#segmenter = segmenter;
    this.#context = context;
    this.#timers = timers;
  }

  /** @returns `false` if the batch is full and the flow has more to send. */
  emit(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    if (flow.state === TcpState.Closed || flow.state === TcpState.TimeWait) return true;
    if (!isSynchronized(flow.state))
      return flow.mustSendSyn ? this.#emitSyn(flow, batch, nowMs) : this.#emitAck(flow, batch, nowMs);
    if (flow.pathMtu > this.#context.mtu) narrowToLink(flow, this.#context.mtu);
    const isDone =
      this.#emitLost(flow, batch, nowMs) &&
      this.#emitNew(flow, batch, nowMs) &&
      this.#emitProbe(flow, batch, nowMs) &&
      this.#emitAck(flow, batch, nowMs);
    if (flow.records.count > 0) this.#timers.armLossTimer(flow, false, nowMs);
    return isDone;
  }

  #emitSyn(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    const isAnswer = flow.state === TcpState.SynReceived;
    const ecn = flow.hasEcn ? (isAnswer ? ECE : ECE | CWR) : 0;
    this.#header.address(flow);
    this.#header.trafficClass = 0;
    this.#header.mss = this.#context.mtu - ipHeaderBytes(flow.remote) - TCP_HEADER_BYTES;
    this.#header.windowShift = flow.receiveShift;
    this.#header.isSackPermitted = flow.hasSack;
    this.#header.hasTimestamps = flow.hasTimestamps;
    if (!this.#emitSegment(flow, batch, flow.iss, SYN | ecn | (isAnswer ? ACK : 0), nowMs)) return false;
    flow.mustSendSyn = false;
    flow.sndNxt = addSequence(flow.iss, 1);
    if (flow.records.count === 0) flow.records.append(flow.iss, flow.sndNxt, nowMs);
    if (flow.retries === 0) flow.synSentMs = nowMs;
    this.#timers.armLossTimer(flow, false, nowMs);
    return true;
  }

  /** Sends again what was lost, as far as the congestion window admits it; after a timeout the first segment always. */
  #emitLost(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    const { records } = flow;
    for (let i = 0; records.lostBytes > 0 && i < records.count; i++) {
      if (!records.has(i, LOST)) continue;
      const allowance = congestionAllowance(flow);
      const isFirst = records.inFlight === 0;
      if (allowance < Math.min(flow.mss, records.bytes(i)) && !isFirst) return true;
      const most = isFirst ? Math.max(allowance, flow.mss) : allowance;
      if (!this.#emitRecord(flow, batch, i, most, nowMs)) return false;
    }
    return true;
  }

  /** @returns `false` if the batch is full. */
  #emitRecord(flow: TcpFlow, batch: PacketBatch, index: number, most: number, nowMs: number): boolean {
    const { records } = flow;
    const start = records.start(index);
    const end = records.end(index);
    const sent = this.#emitRun(flow, batch, start, Math.min(sequenceDistance(start, end), most), nowMs);
    if (sent === 0) return false;
    if (isBefore(addSequence(start, sent), end)) records.splitAt(addSequence(start, sent));
    records.markRetransmitted(index, nowMs);
    if (flow.undoBytes >= 0) flow.undoBytes += sent;
    if (flow.retransmissionStamp === 0) flow.retransmissionStamp = (nowMs + flow.timestampOffset) | 0;
    flow.congestion.sentInRecovery(sent);
    return true;
  }

  #emitNew(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    if (flow.pathSearch !== undefined) this.#emitPathProbe(flow, flow.pathSearch, batch, nowMs);
    for (;;) {
      const bytes = sendableBytes(flow);
      const hasFin = flow.mustSendFin || (flow.isFinQueued && !flow.isFinSent && bytes === flow.unsentBytes);
      if (bytes <= 0 && !hasFin) {
        this.#noteLimits(flow, nowMs);
        return true;
      }
      const wanted = bytes + (hasFin ? 1 : 0);
      const start = flow.sndNxt;
      const sent = this.#emitRun(flow, batch, start, wanted, nowMs);
      if (sent > 0) this.#sentNew(flow, start, sent, nowMs);
      if (sent < wanted) return false;
    }
  }

  /** One segment of a size that the path may not carry (RFC 4821 §7.2). */
  #emitPathProbe(flow: TcpFlow, search: PathSearch, batch: PacketBatch, nowMs: number): void {
    const mtu = probeMtu(flow, this.#context.mtu, nowMs);
    if (mtu === 0) return;
    const { mss, sndNxt } = flow;
    const bytes = probeBytes(flow, mtu);
    flow.mss = bytes + flow.timestampBytes;
    const sent = this.#emitRun(flow, batch, sndNxt, bytes, nowMs);
    flow.mss = mss;
    if (sent === 0) return;
    this.#sentNew(flow, sndNxt, sent, nowMs);
    search.sent(mtu, sndNxt, flow.sndNxt);
  }

  #sentNew(flow: TcpFlow, start: number, bytes: number, nowMs: number): void {
    if (flow.records.count === 0) flow.congestion.idled(nowMs - flow.lastSentMs, flow.rtt.rtoMs);
    flow.sndNxt = addSequence(start, bytes);
    flow.records.append(start, flow.sndNxt, nowMs);
    flow.lastSentMs = nowMs;
    flow.isProbing = false;
    if (flow.recovery === Recovery.Fast) flow.congestion.sentInRecovery(bytes);
    if (bytes % segmentBytes(flow) !== 0) flow.smallSegmentEnd = flow.sndNxt;
  }

  #noteLimits(flow: TcpFlow, nowMs: number): void {
    const unsent = flow.unsentBytes;
    const { inFlight } = flow.records;
    const { congestion } = flow;
    if (congestion.isInSlowStart) flow.isWindowLimited ||= 2 * inFlight > congestion.windowBytes;
    else if (unsent > 0 && congestionAllowance(flow) < flow.mss) flow.isWindowLimited = true;
    const isBlocked = (unsent > 0 || flow.mustSendFin) && flow.records.count === 0;
    if (isBlocked && flow.usableWindow < Math.min(unsent, flow.mss)) this.#timers.armPersist(flow, nowMs);
  }

  /** A probe of the window, of a silent peer, or of a lost tail. */
  #emitProbe(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    if (!flow.isProbing) return true;
    flow.isProbing = false;
    if (flow.isTailProbed && flow.records.count > 0) return this.#emitTail(flow, batch, nowMs);
    // Data that the silly window rules held back goes out at last (RFC 9293 §3.8.6.2.1, override timeout).
    const held = Math.min(flow.usableWindow, flow.unsentBytes);
    if (held > 0 && flow.records.count === 0) return this.#emitHeld(flow, batch, held, nowMs);
    // A sequence number that the peer acknowledged already demands an answer (Linux; RFC 9293 §3.8.4).
    this.#prepare(flow, nowMs);
    return this.#emitSegment(flow, batch, addSequence(flow.sndUna, -1), ACK, nowMs);
  }

  #emitHeld(flow: TcpFlow, batch: PacketBatch, bytes: number, nowMs: number): boolean {
    const start = flow.sndNxt;
    const sent = this.#emitRun(flow, batch, start, Math.min(bytes, segmentBytes(flow)), nowMs);
    if (sent > 0) this.#sentNew(flow, start, sent, nowMs);
    return sent > 0;
  }

  #emitTail(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    if (flow.usableWindow >= segmentBytes(flow) && flow.unsentBytes > 0)
      return this.#emitHeld(flow, batch, flow.unsentBytes, nowMs);
    const { records } = flow;
    const last = records.end(records.count - 1);
    flow.tailProbeEnd = flow.sndNxt;
    flow.isTailResent = true;
    records.splitAt(laterSequence(addSequence(last, -flow.mss), records.start(records.count - 1)));
    return this.#emitRecord(flow, batch, records.count - 1, flow.mss, nowMs);
  }

  /**
   * One ACK for all that a batch brought, and more where one cannot say it: SACK blocks that find no room, or, for a peer without
   * SACK, one duplicate for each segment behind a gap (RFC 5681 §4.2).
   */
  #emitAck(flow: TcpFlow, batch: PacketBatch, nowMs: number): boolean {
    while (flow.ackOwed === AckOwed.Now || flow.unreported > 0) {
      this.#prepare(flow, nowMs);
      if (!this.#emitSegment(flow, batch, flow.sndNxt, ACK, nowMs)) return false;
      if (!flow.hasSack) flow.unreported = Math.max(flow.unreported - 1, 0);
    }
    return true;
  }

  /** Sends sequence space, FIN included, in as many segments as it takes. @returns How much of it the batch took. */
  #emitRun(flow: TcpFlow, batch: PacketBatch, start: number, length: number, nowMs: number): number {
    this.#prepare(flow, nowMs);
    const dataEnd = addSequence(flow.dataStart, flow.sendQueue.length);
    const hasFin = isBefore(dataEnd, addSequence(start, length));
    const dataBytes = hasFin ? length - 1 : length;
    if (dataBytes === 0) return this.#emitSegment(flow, batch, start, ACK | FIN, nowMs) ? length : 0;
    const sent = this.#emitData(flow, batch, start, dataBytes, ACK | PSH | (hasFin ? FIN : 0), nowMs);
    return sent === dataBytes ? length : sent;
  }

  /** @returns Bytes that the batch took. */
  #emitData(flow: TcpFlow, batch: PacketBatch, sequence: number, bytes: number, flags: number, nowMs: number): number {
    const run = this.#run;
    const isNew = !isBefore(sequence, flow.sndNxt);
    this.#fillHeader(flow, sequence, flags | this.#ecnFlags(flow, isNew), nowMs);
    writeHeaders(run.header, 0, this.#header, bytes);
    run.headerBytes = this.#header.headerBytes;
    run.segmentBytes = segmentBytes(flow);
    flow.sendQueue.lend(sequenceDistance(flow.dataStart, sequence), bytes, run);
    const sent = this.#segmenter.split(run, batch);
    if (sent === 0) return 0;
    if (isNew) flow.mustSendCwr = false;
    this.#acknowledged(flow);
    return sent;
  }

  /** Fills in what all segments of a turn have in common, and moves the window as far as there is room. */
  #prepare(flow: TcpFlow, nowMs: number): void {
    this.#header.address(flow);
    const header = this.#header;
    header.hasTimestamps = flow.hasTimestamps;
    header.trafficClass = flow.hasEcn ? ECN_CAPABLE : 0;
    this.#fillSacks(flow);
    const { window, receiveQueue } = flow;
    if (!flow.isFinReceived)
      window.advance(flow.rcvNxt, receiveQueue.unread, flow.mss, flow.receiveShift, this.#context.pool.freeBytes);
    header.timestampValue = (nowMs + flow.timestampOffset) | 0;
  }

  /** RFC 2018 §4: the block with the newest segment comes first, then those in front of it; RFC 2883 §4: a duplicate before all. */
  #fillSacks(flow: TcpFlow): void {
    const header = this.#header;
    const count = sackBlocks(flow);
    const { ranges, inOrder } = flow.receiveQueue;
    let block = 0;
    if (count > 0 && flow.duplicateStart !== flow.duplicateEnd) {
      header.sacks[0] = flow.duplicateStart;
      header.sacks[1] = flow.duplicateEnd;
      block = 1;
    }
    for (let i = 0; block < count; i++, block++) {
      const range = (flow.newestRange + ranges.count - i) % ranges.count;
      header.sacks[2 * block] = addSequence(flow.rcvNxt, ranges.start(range) - inOrder);
      header.sacks[2 * block + 1] = addSequence(flow.rcvNxt, ranges.end(range) - inOrder);
    }
    header.sackCount = count;
  }

  /** A segment without data. @returns `false` if the batch is full. */
  #emitSegment(flow: TcpFlow, batch: PacketBatch, sequence: number, flags: number, nowMs: number): boolean {
    const isSyn = (flags & SYN) !== 0;
    const row = batch.appendRow(this.#header.headerBytes);
    if (row < 0) return false;
    this.#fillHeader(flow, sequence, flags | (isSyn ? 0 : this.#ecnFlags(flow, false)), nowMs);
    writeSegment(batch.bytes, batch.offset[row], this.#header);
    this.#acknowledged(flow);
    return true;
  }

  #fillHeader(flow: TcpFlow, sequence: number, flags: number, nowMs: number): void {
    const header = this.#header;
    const hasAck = (flags & ACK) !== 0;
    header.sequence = sequence;
    header.acknowledgment = hasAck ? flow.rcvNxt : 0;
    header.flags = flags;
    const window = flow.window.window(flow.rcvNxt) >> ((flags & SYN) !== 0 ? 0 : flow.receiveShift);
    header.window = Math.min(window, MAX_WINDOW_FIELD);
    header.timestampValue = (nowMs + flow.timestampOffset) | 0;
    header.timestampEcho = hasAck ? flow.tsRecent : 0;
  }

  /** Every segment carries the ACK: none is owed any more. */
  #acknowledged(flow: TcpFlow): void {
    flow.ackOwed = AckOwed.None;
    flow.unackedSegments = 0;
    flow.delayedAckAtMs = Infinity;
    flow.lastAckSent = flow.rcvNxt;
    if (flow.unreported > 0 && flow.hasSack) noteReported(flow, this.#header.sackCount);
    flow.duplicateStart = flow.duplicateEnd;
  }

  /** RFC 3168 §6.1.2, §6.1.3. A retransmission is not sent as capable (§6.1.5). */
  #ecnFlags(flow: TcpFlow, isNewData: boolean): number {
    if (!flow.hasEcn) return 0;
    this.#header.trafficClass = isNewData ? ECN_CAPABLE : 0;
    return (flow.isEchoingCongestion ? ECE : 0) | (isNewData && flow.mustSendCwr ? CWR : 0);
  }
}
