import { sequenceDistance } from '../sequence.js';
import type { TcpSegment } from './tcp-segment.js';

/**
 * Tests whether some octet of a segment, or the place of one that takes no sequence space, lies in the receive window.
 *
 * Source: RFC 9293 §3.4, the four cases of segment length and window in one.
 *
 * @param window RCV.WND.
 */
export function isAcceptable(segment: TcpSegment, rcvNxt: number, window: number): boolean {
  const length = segment.sequenceBytes;
  const from = sequenceDistance(rcvNxt, segment.sequence);
  if (length === 0) return window === 0 ? from === 0 : from >= 0 && from < window;
  if (window === 0) return false;
  const last = from + length - 1;
  return (from >= 0 && from < window) || (last >= 0 && last < window) || (from < 0 && last >= window);
}
