import { INITIAL_RTO_MS, RTO_AFTER_LOST_SYN_MS } from '../constants.js';
import { addSequence, isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';
import { FlowEvent } from './flow-event.js';
import type { FlowTimers } from './flow-timers.js';
import type { TcpContext } from './tcp-context.js';
import { LossTimer, Recovery, type TcpFlow } from './tcp-flow.js';
import { CWR, ECE, FIN, SYN, type TcpSegment } from './tcp-segment.js';

/** A program that waits to write is woken when this part of its buffer is free. */
const WRITABLE_FRACTION = 2;

/**
 * The effects of an acknowledgment on the sending side: the window of the peer, the round-trip time, what was lost, and how much
 * may be in flight.
 *
 * Source: RFC 9293 §3.10.7.4 (ACK bit); RFC 6298 §5; RFC 5681 §3.2; RFC 6582; RFC 8985; RFC 9937; RFC 3168 §6.1.2;
 * RFC 4015 and RFC 3708 (undo).
 */
export class AckProcessing {
  readonly #context: TcpContext;
  readonly #timers: FlowTimers;

  constructor(context: TcpContext, timers: FlowTimers) {
    this.#context = context;
    this.#timers = timers;
  }

  /** Takes the acknowledgment of a segment whose ACK number lies between SND.UNA and SND.NXT, old ones included. */
  take(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    const { records, loss } = flow;
    if (isBefore(segment.acknowledgment, flow.sndUna)) {
      if (segment.sackCount > 0) this.#takeLate(flow, segment, nowMs);
      return;
    }
    const flight = records.inFlight;
    const una = flow.sndUna;
    const isWindowChanged = this.#updateWindow(flow, segment);
    const advanced = sequenceDistance(una, segment.acknowledgment);
    loss.takeAck(segment, una, nowMs);
    if (advanced > 0) this.#advance(flow, segment, nowMs);
    this.#judgeTailProbe(flow, segment);
    const isFound = this.#findLost(flow, segment, { una, advanced, isWindowChanged }, nowMs);
    this.#recover(flow, segment, flight, isFound, advanced > 0, nowMs);
    this.#takeCongestionMark(flow, segment);
    if (advanced > 0 || loss.delivery.hasNewSack) this.#timers.armLossTimer(flow, true, nowMs);
    const isOpen = flow.usableWindow >= Math.min(Math.max(flow.unsentBytes, 1), flow.mss);
    if (isOpen && flow.lossTimer === LossTimer.Persist) this.#reopened(flow);
    this.#context.requestOutput(flow);
    this.#context.schedule(flow);
  }

  /** An old ACK number may still carry new SACK blocks: ACKs are reordered, too. */
  #takeLate(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.loss.takeAck(segment, flow.sndUna, nowMs);
  }

  /** RFC 9293 §3.10.7.4: the newest segment decides, a duplicate included. @returns Whether the window is another one. */
  #updateWindow(flow: TcpFlow, segment: TcpSegment): boolean {
    const isNewer =
      isBefore(flow.sndWl1, segment.sequence) ||
      (flow.sndWl1 === segment.sequence && isAtOrBefore(flow.sndWl2, segment.acknowledgment));
    if (!isNewer) return false;
    // The window of a SYN is never scaled (RFC 7323 §2.2).
    const window = segment.window << (segment.has(SYN) ? 0 : flow.sendShift);
    const isChanged = window !== flow.sndWnd;
    flow.sndWnd = window;
    flow.sndWl1 = segment.sequence;
    flow.sndWl2 = segment.acknowledgment;
    flow.maxSndWnd = Math.max(flow.maxSndWnd, window);
    return isChanged;
  }

  #advance(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    this.#sample(flow, segment, nowMs);
    flow.sndUna = segment.acknowledgment;
    const data = Math.min(sequenceDistance(flow.dataStart, flow.sndUna), flow.sendQueue.length);
    if (data > 0) {
      flow.sendQueue.drop(data);
      flow.dataStart = addSequence(flow.dataStart, data);
    }
    flow.retries = 0;
    flow.loss.duplicateAcks = flow.hasSack || flow.recovery === Recovery.None ? 0 : flow.loss.duplicateAcks;
    flow.isTailProbed = false;
    if (flow.isWriteBlocked && flow.sendQueue.length <= flow.maxSendBytes / WRITABLE_FRACTION) {
      flow.isWriteBlocked = false;
      this.#context.post(flow, FlowEvent.Writable);
    }
  }

  /** RFC 7323 §4.1: the echoed stamp measures retransmissions as well. RFC 6298 §3: without it, only what was sent once. */
  #sample(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    if (flow.sndUna === flow.iss) {
      this.#sampleSyn(flow, nowMs);
      return;
    }
    const echoed = (segment.timestampEcho - flow.timestampOffset) | 0;
    if (flow.hasTimestamps && segment.hasTimestamps && segment.timestampEcho !== 0) {
      const rttMs = (nowMs - echoed) | 0;
      const weight = Math.max(Math.ceil(flow.records.inFlight / (2 * flow.mss)), 1);
      if (rttMs >= 0) flow.rtt.addSample(rttMs, nowMs, weight);
    } else if (flow.loss.delivery.rttMs >= 0) flow.rtt.addSample(flow.loss.delivery.rttMs, nowMs);
  }

  /**
   * The first sample of a path through a tunnel may contain a WireGuard handshake and its retries: a SYN that took longer
   * than the initial timeout measures nothing (deviates from RFC 6298 §2.2, whose timeout would be 3 times that).
   */
  #sampleSyn(flow: TcpFlow, nowMs: number): void {
    if (flow.retries > 0) flow.rtt.startOver(flow.hasTimestamps ? INITIAL_RTO_MS : RTO_AFTER_LOST_SYN_MS);
    else if (nowMs - flow.synSentMs < INITIAL_RTO_MS) flow.rtt.addSample(nowMs - flow.synSentMs, nowMs);
  }

  /** RFC 8985 §7.4: a loss that the probe repaired without anybody noticing is a loss all the same. */
  #judgeTailProbe(flow: TcpFlow, segment: TcpSegment): void {
    if (!flow.isTailResent || isBefore(segment.acknowledgment, flow.tailProbeEnd)) return;
    flow.isTailResent = false;
    if (flow.loss.delivery.isDuplicateSack || flow.recovery !== Recovery.None) return;
    flow.congestion.enterRecovery(flow.records.inFlight + flow.mss);
    flow.congestion.leaveRecovery();
  }

  #findLost(
    flow: TcpFlow,
    segment: TcpSegment,
    ack: { una: number; advanced: number; isWindowChanged: boolean },
    nowMs: number,
  ): boolean {
    const { loss, records } = flow;
    if (flow.hasSack) return loss.findLost(flow.recovery !== Recovery.None, nowMs);
    if (ack.advanced > 0) {
      // RFC 6582 §3.2 step 3: a partial ACK shows the next hole.
      const isPartial = flow.recovery === Recovery.Fast && isBefore(segment.acknowledgment, flow.recoveryEnd);
      if (isPartial) loss.markFirstLost(flow.sndUna, flow.mss - flow.timestampBytes);
      return isPartial;
    }
    // RFC 5681 §2: no data, no SYN or FIN, the same window, and something in flight.
    const isDuplicate = segment.dataBytes === 0 && !segment.has(SYN | FIN) && !ack.isWindowChanged && records.count > 0;
    return isDuplicate && loss.duplicateAck(flow.sndUna, flow.mss - flow.timestampBytes);
  }

  #recover(
    flow: TcpFlow,
    segment: TcpSegment,
    flight: number,
    isFound: boolean,
    isAdvanced: boolean,
    nowMs: number,
  ): void {
    const { congestion, records, loss } = flow;
    if (this.#isSpurious(flow, segment, isAdvanced)) this.#undo(flow);
    if (isFound && flow.recovery === Recovery.None) flow.enterFastRecovery(flight);
    if (flow.recovery !== Recovery.None && isAtOrBefore(flow.recoveryEnd, flow.sndUna)) {
      this.#leaveRecovery(flow);
      return;
    }
    if (flow.recovery === Recovery.Fast) {
      congestion.recovering(loss.delivery.bytes, records.inFlight, isAdvanced && !isFound);
      return;
    }
    if (loss.delivery.bytes === 0) return;
    congestion.acknowledged(
      {
        bytes: loss.delivery.bytes,
        acknowledgment: segment.acknowledgment,
        sndNxt: flow.sndNxt,
        rttMs: flow.rtt.latestMs,
        smoothedRttMs: flow.rtt.smoothedMs,
        isWindowLimited: flow.isWindowLimited || flow.recovery === Recovery.Timeout,
      },
      nowMs,
    );
    flow.isWindowLimited = false;
  }

  /** Eifel: the ACK echoes a stamp from before the retransmission. D-SACK: all that was sent again had arrived. */
  #isSpurious(flow: TcpFlow, segment: TcpSegment, isAdvanced: boolean): boolean {
    if (flow.recovery === Recovery.None || flow.undoBytes < 0 || flow.retransmissionStamp === 0) return false;
    if (flow.loss.delivery.isDuplicateSack) {
      flow.undoBytes -= sequenceDistance(segment.sacks[0], segment.sacks[1]);
      if (flow.undoBytes <= 0) return true;
    }
    if (flow.recovery === Recovery.Timeout && flow.loss.delivery.isOriginalOfLost) return true;
    if (!isAdvanced || !flow.hasTimestamps || !segment.hasTimestamps) return false;
    return ((segment.timestampEcho - flow.retransmissionStamp) | 0) < 0;
  }

  #undo(flow: TcpFlow): void {
    flow.congestion.undo();
    flow.records.clearLost();
    flow.recovery = Recovery.None;
    flow.undoBytes = -1;
    flow.loss.recoveryEnded();
  }

  #leaveRecovery(flow: TcpFlow): void {
    if (flow.recovery === Recovery.Fast) flow.congestion.leaveRecovery();
    flow.recovery = Recovery.None;
    flow.loss.recoveryEnded();
  }

  /** RFC 3168 §6.1.2: once per round trip, as for a loss. */
  #takeCongestionMark(flow: TcpFlow, segment: TcpSegment): void {
    if (!flow.hasEcn || segment.has(SYN)) return;
    if (segment.has(CWR)) flow.isEchoingCongestion = false;
    if (!segment.has(ECE) || isBefore(flow.sndUna, flow.ecnReducedEnd) || flow.recovery !== Recovery.None) return;
    flow.congestion.marked(flow.records.inFlight);
    flow.ecnReducedEnd = flow.sndNxt;
    flow.mustSendCwr = true;
  }

  #reopened(flow: TcpFlow): void {
    this.#timers.stopLossTimer(flow);
    flow.retries = 0;
  }
}
