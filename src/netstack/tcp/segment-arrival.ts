import { ECN_CONGESTION_EXPERIENCED } from '../../wire/ip-header.js';
import { CHALLENGE_ACK_INTERVAL_MS, QUICK_ACKS } from '../constants.js';
import { addSequence, isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';
import { isAcceptable } from './acceptability.js';
import type { AckProcessing } from './ack-processing.js';
import { DataArrival, noteDuplicate } from './data-arrival.js';
import { endFlow } from './flow-end.js';
import { FlowEvent } from './flow-event.js';
import type { FlowTimers } from './flow-timers.js';
import { negotiate } from './negotiation.js';
import type { TcpContext } from './tcp-context.js';
import { AckOwed, type TcpFlow } from './tcp-flow.js';
import { ACK, CWR, ECE, FIN, RST, SYN, type TcpSegment } from './tcp-segment.js';
import { isFinPending, mayReceive, TcpState } from './tcp-state.js';

const ECN_MASK = 3;
/** RFC 7323 §5.5: a stamp of a connection that was silent for so long says nothing. */
const STAMP_LIFETIME_MS = 24 * 86_400_000;
/** The window of our SYN, which is never scaled (RFC 7323 §2.2). */
const MAX_UNSCALED_WINDOW = 65_535;

/** Data that nobody will read: the peer has to learn that it is lost (RFC 9293 §3.6.1, RFC 2525 §2.16). */
function isNews(flow: TcpFlow, segment: TcpSegment): boolean {
  const end = addSequence(segment.sequence, segment.dataBytes);
  return mayReceive(flow.state) && segment.dataBytes > 0 && isBefore(flow.rcvNxt, end);
}

/** The answer to a segment that belongs to no connection, or to a wrong one. */
export type Answer = 'none' | 'reset';

/**
 * The rules for a segment that arrives for a connection, in the order of the standard: sequence, RST, SYN, ACK, data, FIN.
 *
 * Source: RFC 9293 §3.10.7.3, §3.10.7.4; RFC 5961 §3–5; RFC 7323 §5; RFC 5681 §4.2.
 */
export class SegmentArrival {
  readonly #context: TcpContext;
  readonly #timers: FlowTimers;
  readonly #acks: AckProcessing;
  readonly #data: DataArrival;

  constructor(context: TcpContext, timers: FlowTimers, acks: AckProcessing) {
    this.#context = context;
    this.#timers = timers;
    this.#acks = acks;
    this.#data = new DataArrival(context, timers);
  }

  /** @param trafficClass Of the packet. @returns `reset` if the segment has to be answered with RST. */
  arrive(flow: TcpFlow, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): Answer {
    if (flow.state === TcpState.SynSent) return this.#arriveInSynSent(flow, segment, bytes, nowMs);
    if (flow.state === TcpState.SynReceived && this.#takeSynAgain(flow, segment, nowMs)) return 'none';
    if (!this.#isSequenceAcceptable(flow, segment, nowMs)) return 'none';
    if (segment.has(RST)) {
      this.#takeReset(flow, segment, nowMs);
      return 'none';
    }
    if (segment.has(SYN)) {
      this.#challenge(flow, segment, nowMs); // a SYN never resets a connection (RFC 5961 §4.2)
      return 'none';
    }
    if (!segment.has(ACK)) return 'none';
    if (flow.state === TcpState.SynReceived && !this.#isHandshakeAck(flow, segment)) return 'reset';
    if (!this.#isAckAcceptable(flow, segment)) {
      this.#challenge(flow, segment, nowMs);
      return 'none';
    }
    this.#noteArrival(flow, segment, nowMs);
    if (flow.state === TcpState.SynReceived) this.#established(flow, segment, nowMs);
    this.#acks.take(flow, segment, nowMs);
    // Behind CWR, which ends the echo of earlier marks (RFC 3168 §6.1.3).
    if (flow.hasEcn && (trafficClass & ECN_MASK) === ECN_CONGESTION_EXPERIENCED && segment.dataBytes > 0)
      flow.isEchoingCongestion = true;
    if (flow.isFinReceived && segment.has(FIN)) flow.ackOwed = AckOwed.Now; // a second FIN counts for nothing else
    this.#closeSteps(flow, nowMs);
    if (flow.isOrphan && isNews(flow, segment)) {
      endFlow(this.#context, flow, 'aborted');
      return 'reset';
    }
    if (segment.dataBytes > 0) this.#data.take(flow, segment, bytes, nowMs);
    if (segment.has(FIN)) this.#noteFin(flow, segment);
    this.#finish(flow, nowMs);
    return 'none';
  }

  /** RFC 9293 §3.10.7.3. */
  #arriveInSynSent(flow: TcpFlow, segment: TcpSegment, bytes: Uint8Array, nowMs: number): Answer {
    const hasAck = segment.has(ACK);
    const isAckGood =
      hasAck &&
      isBefore(flow.iss, segment.acknowledgment) &&
      isAtOrBefore(segment.acknowledgment, flow.sndNxt) &&
      flow.sndNxt !== flow.iss;
    if (hasAck && !isAckGood) return segment.has(RST) ? 'none' : 'reset';
    if (segment.has(RST)) {
      if (isAckGood) endFlow(this.#context, flow, 'refused');
      return 'none';
    }
    if (!segment.has(SYN)) return 'none';
    this.#takePeerSyn(flow, segment, nowMs);
    if (!isAckGood) {
      // Both opened at once: the SYN-ACK has the sequence number of the SYN (RFC 9293 §3.5).
      flow.state = TcpState.SynReceived;
      flow.records.clear();
      flow.mustSendSyn = true;
      this.#context.requestOutput(flow);
      return 'none';
    }
    flow.hasEcn &&= segment.has(ECE) && !segment.has(CWR);
    flow.state = TcpState.Established;
    flow.ackOwed = AckOwed.Now;
    this.#acks.take(flow, segment, nowMs);
    this.#start(flow, segment, nowMs);
    segment.sequence = addSequence(segment.sequence, 1);
    segment.flags &= ~SYN;
    if (segment.dataBytes > 0) this.#data.take(flow, segment, bytes, nowMs);
    if (segment.has(FIN)) this.#noteFin(flow, segment);
    this.#finish(flow, nowMs);
    return 'none';
  }

  #takePeerSyn(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.irs = segment.sequence;
    flow.rcvNxt = addSequence(segment.sequence, 1);
    flow.window.start(flow.rcvNxt, nowMs);
    flow.window.edge = addSequence(flow.rcvNxt, MAX_UNSCALED_WINDOW);
    negotiate(flow, segment, this.#context, nowMs);
    flow.sndWnd = segment.window;
    flow.maxSndWnd = segment.window;
    flow.sndWl1 = segment.sequence;
    flow.sndWl2 = segment.acknowledgment;
    flow.lastReceivedMs = nowMs;
    flow.tsRecent = segment.timestampValue;
    flow.tsRecentMs = nowMs;
  }

  /** The ACK that ends a passive or a simultaneous open. */
  #established(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.state = TcpState.Established;
    flow.sndWnd = segment.window << flow.sendShift;
    flow.maxSndWnd = flow.sndWnd;
    flow.sndWl1 = segment.sequence;
    flow.sndWl2 = segment.acknowledgment;
    this.#start(flow, segment, nowMs);
  }

  #start(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.quickAcks = QUICK_ACKS;
    flow.loss.start(segment.acknowledgment);
    flow.congestion.start(flow.mss - flow.timestampBytes, flow.sndNxt);
    flow.smallSegmentEnd = flow.sndUna;
    flow.mustSendSyn = false;
    this.#timers.armKeepalive(flow, nowMs);
    this.#context.post(flow, FlowEvent.Connected);
    this.#context.requestOutput(flow);
    if (flow.isFinQueued) flow.state = TcpState.FinWait1; // closed while it was opening
  }

  /** RFC 7323 §5.3 (PAWS), then RFC 9293 §3.10.7.4 first step. */
  #isSequenceAcceptable(flow: TcpFlow, segment: TcpSegment, nowMs: number): boolean {
    if (flow.hasTimestamps && segment.hasTimestamps && !segment.has(RST) && this.#isStampOld(flow, segment, nowMs)) {
      this.#acknowledgeUnacceptable(flow, segment, nowMs);
      return false;
    }
    if (isAcceptable(segment, flow.rcvNxt, flow.window.window(flow.rcvNxt))) return true;
    if (this.#isAtClosedWindow(flow, segment)) {
      // RFC 9293 §3.10.7.4: the ACK counts, the data does not. A FIN by itself needs no room, and is taken (Linux).
      if (segment.dataBytes > 0) segment.flags &= ~FIN;
      segment.dataBytes = 0;
      flow.ackOwed = AckOwed.Now;
      this.#context.requestOutput(flow);
      return true;
    }
    if (segment.has(RST)) return false;
    noteDuplicate(flow, segment);
    // The last segment again, because our ACK was lost: the next ACK echoes its stamp, or the sender would take the whole
    // timeout for a round trip (RFC 7323 §4.3 and App. G; as Linux, for nothing that lies farther back).
    if (!isBefore(segment.end, flow.lastAckSent)) this.#noteStamp(flow, segment, nowMs);
    this.#acknowledgeUnacceptable(flow, segment, nowMs);
    return false;
  }

  #isStampOld(flow: TcpFlow, segment: TcpSegment, nowMs: number): boolean {
    if (((segment.timestampValue - flow.tsRecent) | 0) >= 0) return false;
    return nowMs - flow.tsRecentMs < STAMP_LIFETIME_MS;
  }

  #isAtClosedWindow(flow: TcpFlow, segment: TcpSegment): boolean {
    return flow.window.window(flow.rcvNxt) === 0 && segment.sequence === flow.rcvNxt && !segment.has(SYN);
  }

  /** Data that was sent again is always answered: its sender waits. What is empty is answered at a bounded rate. */
  #acknowledgeUnacceptable(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    if (segment.sequenceBytes > 0 && !segment.has(SYN)) {
      flow.ackOwed = AckOwed.Now;
      flow.quickAcks = QUICK_ACKS;
      this.#context.requestOutput(flow);
    } else this.#challenge(flow, segment, nowMs);
  }

  /** RFC 5961 §7: the rate is bounded for each connection by itself; a common bound could be measured from outside. */
  #challenge(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    if (segment.dataBytes === 0 && nowMs - flow.lastChallengeMs < CHALLENGE_ACK_INTERVAL_MS) return;
    flow.lastChallengeMs = nowMs;
    flow.ackOwed = AckOwed.Now;
    this.#context.requestOutput(flow);
  }

  /** RFC 5961 §3.2: only the exact sequence number resets. */
  #takeReset(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    if (segment.sequence !== flow.rcvNxt) {
      this.#challenge(flow, segment, nowMs);
      return;
    }
    const isOver = flow.state === TcpState.Closing || flow.state === TcpState.LastAck;
    endFlow(this.#context, flow, flow.state === TcpState.SynReceived ? 'refused' : isOver ? 'closed' : 'reset');
  }

  /**
   * A simultaneous open sees the peer's SYN twice: alone, because our SYN-ACK was lost, or as the SYN-ACK that completes it
   * (RFC 9293 §3.5, figure 8). @returns Whether the segment was either.
   */
  #takeSynAgain(flow: TcpFlow, segment: TcpSegment, nowMs: number): boolean {
    if (!segment.has(SYN) || segment.has(RST) || segment.sequence !== flow.irs) return false;
    this.#context.requestOutput(flow);
    if (!segment.has(ACK)) {
      flow.mustSendSyn = true;
      return true;
    }
    if (!this.#isHandshakeAck(flow, segment)) return false;
    this.#established(flow, segment, nowMs);
    this.#acks.take(flow, segment, nowMs);
    flow.ackOwed = AckOwed.Now;
    return true;
  }

  #isHandshakeAck(flow: TcpFlow, segment: TcpSegment): boolean {
    return isBefore(flow.sndUna, segment.acknowledgment) && isAtOrBefore(segment.acknowledgment, flow.sndNxt);
  }

  /** RFC 5961 §5.2. */
  #isAckAcceptable(flow: TcpFlow, segment: TcpSegment): boolean {
    if (isBefore(flow.sndNxt, segment.acknowledgment)) return false;
    return sequenceDistance(segment.acknowledgment, flow.sndUna) <= flow.maxSndWnd;
  }

  #noteArrival(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.lastReceivedMs = nowMs;
    flow.keepaliveProbes = 0;
    if (flow.isKeptAlive) flow.keepaliveAtMs = nowMs + flow.keepaliveIdleMs;
    this.#noteStamp(flow, segment, nowMs);
  }

  /** RFC 7323 §4.3: TS.Recent is taken from segments that begin at or in front of the last ACK that left. */
  #noteStamp(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    if (!flow.hasTimestamps || !segment.hasTimestamps) return;
    if (isBefore(flow.lastAckSent, segment.sequence) || this.#isStampOld(flow, segment, nowMs)) return;
    flow.tsRecent = segment.timestampValue;
    flow.tsRecentMs = nowMs;
  }

  /** FIN counts once everything in front of it has arrived. */
  #noteFin(flow: TcpFlow, segment: TcpSegment): void {
    if (!mayReceive(flow.state)) return;
    const ahead = sequenceDistance(flow.rcvNxt, addSequence(segment.sequence, segment.dataBytes));
    flow.ackOwed = AckOwed.Now;
    // A FIN in front of bytes that are here, or of an earlier FIN, is a mistake of the peer.
    const { ranges, inOrder } = flow.receiveQueue;
    if (flow.finOffset >= 0 || (ranges.count > 0 && ranges.end(ranges.count - 1) > inOrder + ahead)) return;
    flow.finOffset = inOrder + ahead;
  }

  #finish(flow: TcpFlow, nowMs: number): void {
    if (flow.ackOwed === AckOwed.Now) this.#context.requestOutput(flow);
    if (flow.finOffset < 0 || flow.isFinReceived || flow.receiveQueue.inOrder !== flow.finOffset) return;
    flow.isFinReceived = true;
    flow.rcvNxt = addSequence(flow.rcvNxt, 1);
    flow.ackOwed = AckOwed.Now;
    this.#context.requestOutput(flow);
    this.#context.post(flow, FlowEvent.Finished);
    if (flow.state === TcpState.Established) flow.state = TcpState.CloseWait;
    else if (flow.state === TcpState.FinWait1) flow.state = TcpState.Closing;
    else if (flow.state === TcpState.FinWait2) this.#context.enterTimeWait(flow, nowMs);
  }

  /** RFC 9293 §3.10.7.4, ACK of our FIN. */
  #closeSteps(flow: TcpFlow, nowMs: number): void {
    if (!isFinPending(flow.state) || !flow.isFinAcknowledged) return;
    if (flow.state === TcpState.FinWait1) {
      flow.state = TcpState.FinWait2;
      this.#timers.armFinWait2(flow, nowMs);
    } else if (flow.state === TcpState.Closing) this.#context.enterTimeWait(flow, nowMs);
    else endFlow(this.#context, flow, 'closed');
  }
}
