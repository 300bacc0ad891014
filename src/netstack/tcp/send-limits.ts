import { isBefore } from '../sequence.js';
import type { TcpFlow } from './tcp-flow.js';

const MAX_SACK_BLOCKS_WITH_TIMESTAMPS = 3;

/**
 * How much a connection may send: by the peer's window, by the congestion window, by Nagle, and against silly windows.
 *
 * Source: RFC 9293 §3.7.4, §3.8.6.2.1; RFC 2018 §3.
 */

/** Returns the bytes of new data that may leave. */
export function sendableBytes(flow: TcpFlow): number {
  const unsent = flow.unsentBytes;
  if (unsent === 0 || flow.records.lostBytes > 0) return 0;
  const usable = Math.min(flow.usableWindow, congestionAllowance(flow), unsent);
  if (usable <= 0) return 0;
  const segment = segmentBytes(flow);
  if (usable >= segment && usable < unsent) return usable - (usable % segment);
  if (usable < unsent) return usable >= Math.floor(flow.maxSndWnd / 2) ? usable : 0;
  const tail = usable % segment;
  return tail === 0 || maySendSmall(flow) ? usable : usable - tail;
}

/** Returns the bytes that the congestion window admits. */
export function congestionAllowance(flow: TcpFlow): number {
  return Math.floor(flow.congestion.windowBytes) - flow.pipeBytes;
}

/** Returns the most data that one segment carries beside its options. */
export function segmentBytes(flow: TcpFlow): number {
  const sacks = sackBlocks(flow);
  return Math.max(flow.mss - flow.timestampBytes - (sacks > 0 ? 4 + 8 * sacks : 0), 1);
}

/** Returns the number of SACK blocks that the next segment carries, a duplicate included. */
export function sackBlocks(flow: TcpFlow): number {
  if (!flow.hasSack) return 0;
  const duplicates = flow.duplicateStart === flow.duplicateEnd ? 0 : 1;
  const most = flow.hasTimestamps ? MAX_SACK_BLOCKS_WITH_TIMESTAMPS : MAX_SACK_BLOCKS_WITH_TIMESTAMPS + 1;
  return Math.min(flow.receiveQueue.ranges.count + duplicates, most);
}

/** Takes note that an ACK reported so many ranges: the next one reports those that found no room. */
export function noteReported(flow: TcpFlow, blocks: number): void {
  const { count } = flow.receiveQueue.ranges;
  flow.unreported = blocks === 0 ? 0 : Math.max(Math.min(flow.unreported, count) - blocks, 0);
  if (flow.unreported > 0) flow.newestRange = (flow.newestRange + count - blocks) % count;
}

/** Minshall's variant of Nagle: one small segment in flight holds back the next, a full one does not. */
function maySendSmall(flow: TcpFlow): boolean {
  if (flow.isNoDelay || flow.isFinQueued) return true;
  return flow.records.count === 0 || !isBefore(flow.sndUna, flow.smallSegmentEnd);
}
