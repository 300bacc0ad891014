import { addSequence, isBefore, sequenceDistance } from '../sequence.js';
import { FlowEvent } from './flow-event.js';
import type { FlowTimers } from './flow-timers.js';
import type { TcpContext } from './tcp-context.js';
import { AckOwed, type TcpFlow } from './tcp-flow.js';
import { FIN, type TcpSegment } from './tcp-segment.js';
import { mayReceive } from './tcp-state.js';

const SEGMENTS_PER_ACK = 2;
/** ACKs beyond the first that one batch draws at most, without SACK. */
const MAX_UNREPORTED = 64;

/**
 * The data of a segment that arrives: into the queue, in order or ahead of a gap, and the acknowledgment that it asks for.
 *
 * Source: RFC 9293 §3.10.7.4 (segment text); RFC 5681 §4.2; RFC 2883 §4.
 */
export class DataArrival {
  readonly #context: TcpContext;
  readonly #timers: FlowTimers;

  constructor(context: TcpContext, timers: FlowTimers) {
    this.#context = context;
    this.#timers = timers;
  }

  /** Takes what lies in the window; the rest of the segment, FIN included, is cut off. */
  take(flow: TcpFlow, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    if (!mayReceive(flow.state)) return;
    const skipped = Math.max(sequenceDistance(segment.sequence, flow.rcvNxt), 0);
    const start = addSequence(segment.sequence, skipped);
    const room = Math.min(sequenceDistance(start, flow.window.edge), bytesToFin(flow, start));
    const length = Math.min(segment.dataBytes - skipped, room);
    if (length < segment.dataBytes - skipped) segment.flags &= ~FIN; // what the window cuts off takes FIN along
    if (skipped > 0) noteDuplicate(flow, segment);
    if (length <= 0) {
      flow.ackOwed = AckOwed.Now;
      return;
    }
    const { receiveQueue } = flow;
    const ahead = sequenceDistance(flow.rcvNxt, start);
    const gaps = receiveQueue.ranges.count;
    const offset = receiveQueue.inOrder + ahead;
    if (receiveQueue.ranges.covers(offset, offset + length)) noteDuplicate(flow, segment);
    const before = receiveQueue.inOrder;
    if (!receiveQueue.insert(offset, bytes, segment.dataAt + skipped, length)) {
      flow.ackOwed = AckOwed.Now;
      return;
    }
    if (ahead > 0) noteAhead(flow, offset, gaps, segment.count);
    else flow.newestRange = 0;
    const arrived = receiveQueue.inOrder - before;
    flow.rcvNxt = addSequence(flow.rcvNxt, arrived);
    flow.window.arrived(flow.rcvNxt, echoedMs(flow, segment), nowMs);
    if (arrived > 0) this.#context.post(flow, FlowEvent.Readable);
    this.#oweAck(flow, segment.count, ahead > 0 || gaps > 0, nowMs);
  }

  /** RFC 5681 §4.2: at once around a gap and for every second segment, otherwise within the delay. */
  #oweAck(flow: TcpFlow, segments: number, isAroundGap: boolean, nowMs: number): void {
    flow.unackedSegments += segments;
    const isQuick = flow.quickAcks > 0;
    flow.quickAcks = Math.max(flow.quickAcks - segments, 0);
    if (isAroundGap || isQuick || flow.unackedSegments >= SEGMENTS_PER_ACK) flow.ackOwed = AckOwed.Now;
    else if (flow.ackOwed === AckOwed.None) {
      flow.ackOwed = AckOwed.Delayed;
      this.#timers.delayAck(flow, nowMs);
    }
  }
}

/** The time of ours that a segment echoes. */
function echoedMs(flow: TcpFlow, segment: TcpSegment): number | undefined {
  const hasEcho = flow.hasTimestamps && segment.hasTimestamps && segment.timestampEcho !== 0;
  return hasEcho ? (segment.timestampEcho - flow.timestampOffset) | 0 : undefined;
}

/** A batch brings many segments and one ACK: what that cannot report is counted (RFC 5681 §4.2, RFC 2018 §4). */
function noteAhead(flow: TcpFlow, offset: number, rangesBefore: number, segments: number): void {
  const { ranges } = flow.receiveQueue;
  flow.newestRange = rangeOf(flow, offset);
  const news = flow.hasSack ? Math.max(ranges.count - rangesBefore, 0) : segments;
  flow.unreported = Math.min(flow.unreported + news, MAX_UNREPORTED);
}

/** Nothing follows FIN: what a peer sends behind it is cut off as what lies outside of the window. */
function bytesToFin(flow: TcpFlow, sequence: number): number {
  if (flow.finOffset < 0) return Infinity;
  return flow.finOffset - flow.receiveQueue.inOrder - sequenceDistance(flow.rcvNxt, sequence);
}

function rangeOf(flow: TcpFlow, offset: number): number {
  const { ranges } = flow.receiveQueue;
  for (let i = 0; i < ranges.count; i++) if (ranges.start(i) <= offset && offset < ranges.end(i)) return i;
  return 0;
}

/** Notes data that had arrived before: the next ACK reports it (RFC 2883 §4). */
export function noteDuplicate(flow: TcpFlow, segment: TcpSegment): void {
  if (!flow.hasSack || segment.dataBytes === 0) return;
  flow.duplicateStart = segment.sequence;
  flow.duplicateEnd =
    isBefore(flow.rcvNxt, segment.end) && isBefore(segment.sequence, flow.rcvNxt) ? flow.rcvNxt : segment.end;
}
