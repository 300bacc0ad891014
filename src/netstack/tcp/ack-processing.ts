import { INITIAL_RTO_MS, RTO_AFTER_LOST_SYN_MS } from '../constants.js';
import { addSequence, isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';
import { FlowEvent } from './flow-event.js';
import type { FlowTimers } from './flow-timers.js';
import { AckFacts, LossRecovery } from './loss-recovery.js';
import type { TcpContext } from './tcp-context.js';
import { LossTimer, Recovery, type TcpFlow } from './tcp-flow.js';
import { CWR, ECE, SYN, type TcpSegment } from './tcp-segment.js';

/**
 * A program that waits to write is woken when its buffer is filled to this part: more than the congestion window is left then, so
 * that the path does not run dry meanwhile.
 */
const WRITABLE_BELOW = 2 / 3;

/**
 * The effects of an acknowledgment on the sending side: the window of the peer, the round-trip time, and what leaves the queue.
 * What was lost, and how much may be in flight, is the part of `LossRecovery`.
 *
 * Source: RFC 9293 §3.10.7.4 (ACK bit); RFC 6298 §3, §5; RFC 7323 §4.1; RFC 8985 §7.4; RFC 3168 §6.1.2.
 */
export class AckProcessing {
  readonly #context: TcpContext;
  readonly #timers: FlowTimers;
  readonly #recovery = new LossRecovery();
  readonly #ack = new AckFacts();

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
    const ack = this.#ack;
    ack.flightBytes = records.inFlight;
    ack.una = flow.sndUna;
    ack.isWindowChanged = this.#updateWindow(flow, segment);
    ack.advanced = sequenceDistance(ack.una, segment.acknowledgment);
    ack.judgeDuplicate(flow, segment);
    loss.takeAck(segment, ack.una, flow.timestampOffset, nowMs);
    if (ack.advanced > 0) this.#advance(flow, segment, ack.advanced, nowMs);
    this.#judgeTailProbe(flow, segment);
    this.#recovery.take(flow, segment, ack, this.#context, nowMs);
    this.#takeCongestionMark(flow, segment);
    if (ack.advanced > 0 || loss.delivery.hasNewSack) this.#timers.armLossTimer(flow, true, nowMs);
    const isOpen = flow.usableWindow >= Math.min(Math.max(flow.unsentBytes, 1), flow.mss);
    if (isOpen && flow.lossTimer === LossTimer.Persist) this.#reopened(flow);
    this.#context.requestOutput(flow);
    this.#context.schedule(flow);
  }

  /** An old ACK number may still carry new SACK blocks: ACKs are reordered, too. */
  #takeLate(flow: TcpFlow, segment: TcpSegment, nowMs: number): void {
    flow.loss.takeAck(segment, flow.sndUna, flow.timestampOffset, nowMs);
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

  #advance(flow: TcpFlow, segment: TcpSegment, advanced: number, nowMs: number): void {
    this.#sample(flow, segment, nowMs);
    flow.sndUna = segment.acknowledgment;
    const data = Math.min(sequenceDistance(flow.dataStart, flow.sndUna), flow.sendQueue.length);
    if (data > 0) {
      flow.sendQueue.drop(data);
      flow.dataStart = addSequence(flow.dataStart, data);
    }
    flow.retries = 0;
    if (flow.hasSack || flow.recovery === Recovery.None) flow.loss.duplicateAcks = 0;
    else flow.loss.partialAck(Math.ceil(advanced / flow.payloadBytes));
    flow.isTailProbed = false;
    flow.isUnreachable = false;
    flow.noteWindow();
    if (flow.isWriteBlocked && flow.sendQueue.length <= flow.sendBufferBytes * WRITABLE_BELOW) {
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
    } else if (flow.loss.delivery.rttMs >= 0 && !flow.loss.delivery.isAmbiguous)
      flow.rtt.addSample(flow.loss.delivery.rttMs, nowMs);
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
