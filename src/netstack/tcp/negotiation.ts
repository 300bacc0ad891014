import { MIN_MSS } from '../constants.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import type { TcpFlow } from './tcp-flow.js';
import { TCP_HEADER_BYTES, type TcpSegment } from './tcp-segment.js';

/**
 * Settles what both sides use, from the options of the peer's SYN or SYN-ACK. The flow says beforehand what we offer.
 *
 * Source: RFC 7323 §2.2, §3.2; RFC 2018 §2; RFC 9293 §3.7.1.
 */
export function negotiate(flow: TcpFlow, segment: TcpSegment, mtu: number): void {
  if (segment.windowShift >= 0) flow.sendShift = segment.windowShift;
  else {
    flow.sendShift = 0;
    flow.receiveShift = 0;
  }
  flow.hasTimestamps &&= segment.hasTimestamps;
  flow.hasSack &&= segment.isSackPermitted;
  if (segment.mss >= 0) flow.peerMss = Math.max(segment.mss, MIN_MSS);
  setPathMtu(flow, mtu);
}

/** Sets the segment size that a path of `mtu` bytes and the peer both admit, without regard to options (RFC 9293 §3.7.1). */
export function setPathMtu(flow: TcpFlow, mtu: number): void {
  flow.pathMtu = mtu;
  flow.mss = Math.min(flow.peerMss, mtu - ipHeaderBytes(flow.remote) - TCP_HEADER_BYTES);
}
