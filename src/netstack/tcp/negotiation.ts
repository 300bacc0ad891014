import { MIN_MSS } from '../constants.js';
import { startPath } from './path-mtu.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import type { TcpSegment } from './tcp-segment.js';

/**
 * Settles what both sides use, from the options of the peer's SYN or SYN-ACK. The flow says beforehand what we offer.
 *
 * Source: RFC 7323 §2.2, §3.2; RFC 2018 §2; RFC 9293 §3.7.1.
 */
export function negotiate(flow: TcpFlow, segment: TcpSegment, context: TcpContext, nowMs: number): void {
  if (segment.windowShift >= 0) flow.sendShift = segment.windowShift;
  else {
    flow.sendShift = 0;
    flow.receiveShift = 0;
  }
  flow.hasTimestamps &&= segment.hasTimestamps;
  flow.hasSack &&= segment.isSackPermitted;
  if (segment.mss >= 0) flow.peerMss = Math.max(segment.mss, MIN_MSS);
  startPath(flow, context, nowMs);
}
