import { isAtOrBefore, isBefore } from '../sequence.js';
import { ForwardRecovery, Recovery, type TcpFlow } from './tcp-flow.js';

/** RFC 5682 §2.1 step 2 b: new segments that bring out whether the old ones arrived. */
const NEW_SEGMENTS = 2;
/** RFC 5682 §2.1 step 3 a: the window with which the retransmissions go on. */
const SEGMENTS_AFTER_LOSS = 3;

/**
 * Forward RTO-Recovery: finds out whether a timeout was spurious, for peers without timestamps. Where there are timestamps, the
 * first ACK answers the question (RFC 3522).
 *
 * After the first retransmission, two new segments leave in place of a second one. An ACK that advances now covers data that
 * was sent once, so that data was late and not lost.
 *
 * Source: RFC 5682 §2.1, §3.1.
 */

/** Begins the test at a timeout, unless a recovery was under way already. */
export function beginForwardRecovery(flow: TcpFlow): void {
  const isPossible = !flow.hasTimestamps && flow.recovery === Recovery.None;
  flow.forwardRecovery = isPossible ? ForwardRecovery.Resent : ForwardRecovery.Off;
}

/**
 * Takes an ACK during the test. SND.UNA is that of the ACK already.
 *
 * @param isDuplicate The ACK neither advanced nor brought a new window.
 * @returns Whether the timeout was spurious.
 */
export function takeForwardAck(flow: TcpFlow, isAdvanced: boolean, isDuplicate: boolean): boolean {
  if (!isAdvanced && !isDuplicate) return false;
  const step = flow.forwardRecovery;
  flow.forwardRecovery = ForwardRecovery.Off;
  if (step === ForwardRecovery.Probing) {
    if (isAdvanced) return true;
    goOnWithLosses(flow);
    return false;
  }
  if (isAdvanced && isBefore(flow.sndUna, flow.recoveryEnd) && maySendNew(flow)) sendNew(flow);
  return false;
}

/** Step 2: without new data there is nothing to learn from. */
function maySendNew(flow: TcpFlow): boolean {
  return flow.unsentBytes > 0 && flow.usableWindow >= Math.min(flow.unsentBytes, flow.payloadBytes);
}

function sendNew(flow: TcpFlow): void {
  flow.records.clearLost();
  flow.congestion.windowBytes = flow.pipeBytes + NEW_SEGMENTS * flow.payloadBytes;
  flow.forwardRecovery = ForwardRecovery.Probing;
}

/** Step 3 a: the loss was real. What was new arrived, since the duplicate answers it. */
function goOnWithLosses(flow: TcpFlow): void {
  const { records } = flow;
  for (let i = 0; i < records.count; i++) if (isAtOrBefore(records.end(i), flow.recoveryEnd)) records.markLost(i);
  flow.congestion.windowBytes = SEGMENTS_AFTER_LOSS * flow.payloadBytes;
}
