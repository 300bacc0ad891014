import { isAtOrBefore, isBefore, sequenceDistance } from '../sequence.js';
import { takeForwardAck } from './forward-recovery.js';
import { judgeProbe } from './path-mtu.js';
import type { TcpContext } from './tcp-context.js';
import { ForwardRecovery, Recovery, type TcpFlow } from './tcp-flow.js';
import { FIN, SYN, type TcpSegment } from './tcp-segment.js';

/** One ACK, seen from the sending side. The fields are used again for every ACK. */
export class AckFacts {
  /** SND.UNA before the ACK. */
  una = 0;
  /** Bytes by which SND.UNA moved. */
  advanced = 0;
  isWindowChanged = false;
  /** Bytes in flight before the ACK. */
  flightBytes = 0;
  /** The ACK is a duplicate in the sense of RFC 5681 §2. */
  isDuplicate = false;
  /** Bytes that the ACK says have arrived. */
  deliveredBytes = 0;

  /** RFC 5681 §2: no data, no SYN or FIN, the same window, and something in flight. */
  judgeDuplicate(flow: TcpFlow, segment: TcpSegment): void {
    const isBare = segment.dataBytes === 0 && !segment.has(SYN | FIN);
    this.isDuplicate = this.advanced === 0 && isBare && !this.isWindowChanged && flow.records.count > 0;
  }
}

/**
 * The recovery of a connection from losses: when it begins, what an ACK in it lets out, when it ends, and when it turns out to have
 * been a mistake.
 *
 * Source: RFC 5681 §3.2; RFC 6582 §3.2; RFC 8985; RFC 9937; RFC 3522, RFC 4015 and RFC 3708 (undo); RFC 5682 (F-RTO).
 */
export class LossRecovery {
  /** Judges what is lost after an ACK, and sets the window accordingly. */
  take(flow: TcpFlow, segment: TcpSegment, ack: AckFacts, context: TcpContext, nowMs: number): void {
    const isTested = flow.forwardRecovery !== ForwardRecovery.Off;
    if (isTested && takeForwardAck(flow, ack.advanced > 0, ack.isDuplicate)) undo(flow);
    const isMarked = this.#findLost(flow, ack, nowMs);
    const isFound = judgeProbe(flow, context, isMarked, nowMs);
    ack.deliveredBytes = this.#delivered(flow, ack);
    if (isSpurious(flow, segment, ack.advanced > 0)) undo(flow);
    if (isFound && flow.recovery === Recovery.None) flow.enterFastRecovery(ack.flightBytes);
    if (flow.recovery !== Recovery.None && isAtOrBefore(flow.recoveryEnd, flow.sndUna)) leave(flow);
    else if (flow.recovery === Recovery.Fast) {
      const isAdvanced = ack.advanced > 0;
      const isForced = isFound && isAdvanced && !flow.hasSack;
      flow.congestion.recovering(ack.deliveredBytes, flow.pipeBytes, isAdvanced && !isFound, isForced);
    } else this.#grow(flow, segment, ack, nowMs);
  }

  #findLost(flow: TcpFlow, ack: AckFacts, nowMs: number): boolean {
    const { loss } = flow;
    if (flow.forwardRecovery === ForwardRecovery.Probing) return false;
    const isInRecovery = flow.recovery !== Recovery.None;
    if (flow.hasSack) return loss.findLost(isInRecovery, nowMs);
    if (ack.advanced === 0) return ack.isDuplicate && loss.duplicateAck(flow.sndUna, flow.payloadBytes, isInRecovery);
    // RFC 6582 §3.2 step 3: a partial ACK shows the next hole.
    const isPartial = flow.recovery === Recovery.Fast && isBefore(flow.sndUna, flow.recoveryEnd);
    if (isPartial) loss.markFirstLost(flow.sndUna, flow.payloadBytes);
    return isPartial;
  }

  /** RFC 9937: without SACK, a duplicate ACK stands for one segment, which the ACK that advances does not count again. */
  #delivered(flow: TcpFlow, ack: AckFacts): number {
    if (flow.hasSack || flow.recovery !== Recovery.Fast) return flow.loss.delivery.bytes;
    return ack.isDuplicate ? flow.payloadBytes : Math.min(ack.advanced, flow.payloadBytes);
  }

  /** The window grows by what an ACK number covers, never by duplicates (RFC 5681 §3.1, RFC 3042 §2). */
  #grow(flow: TcpFlow, segment: TcpSegment, ack: AckFacts, nowMs: number): void {
    if (ack.advanced === 0) return;
    // Bytes that were SACKed before a timeout are no news: they would let a burst out (RFC 3465 §2.3).
    const bytes = flow.recovery === Recovery.Timeout ? ack.deliveredBytes : ack.advanced;
    flow.congestion.acknowledged(
      {
        bytes,
        flightBytes: ack.flightBytes,
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
}

/**
 * Eifel (RFC 3522 §3.2): the ACK echoes a stamp from before the retransmission. D-SACK (RFC 3708 §2): all that was sent again
 * had arrived before.
 */
function isSpurious(flow: TcpFlow, segment: TcpSegment, isAdvanced: boolean): boolean {
  if (flow.recovery === Recovery.None || flow.undoBytes < 0 || flow.retransmissionStamp === 0) return false;
  if (flow.loss.delivery.isDuplicateSack) {
    flow.undoBytes -= sequenceDistance(segment.sacks[0], segment.sacks[1]);
    if (flow.undoBytes <= 0) return true;
  }
  if (!isAdvanced || !flow.hasTimestamps || !segment.hasTimestamps) return false;
  return ((segment.timestampEcho - flow.retransmissionStamp) | 0) < 0;
}

function undo(flow: TcpFlow): void {
  flow.congestion.undo();
  flow.records.clearLost();
  flow.undoBytes = -1;
  end(flow);
}

function leave(flow: TcpFlow): void {
  if (flow.recovery === Recovery.Fast) flow.congestion.leaveRecovery();
  end(flow);
}

function end(flow: TcpFlow): void {
  flow.recovery = Recovery.None;
  flow.forwardRecovery = ForwardRecovery.Off;
  flow.loss.recoveryEnded();
}
