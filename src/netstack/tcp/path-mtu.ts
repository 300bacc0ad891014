import { BLACK_HOLE_SEARCH_MS, PATH_MTU_LIFETIME_MS } from '../constants.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import { isAtOrBefore } from '../sequence.js';
import { PathSearch } from './path-search.js';
import { congestionAllowance, sackBlocks } from './send-limits.js';
import type { TcpContext } from './tcp-context.js';
import { Recovery, type TcpFlow } from './tcp-flow.js';
import { TCP_HEADER_BYTES } from './tcp-segment.js';

/** Segments that follow a probe, so that SACK shows within a round trip whether it was lost (RFC 4821 §7.2). */
const SEGMENTS_BEHIND_PROBE = 3;

/**
 * The segment size of a connection: by the peer, by the tunnel, and by what the path was seen to carry.
 *
 * Source: RFC 9293 §3.7.1, §3.7.2; RFC 8201 §4; RFC 4821 §7.
 */

/** Sets the segment size that a path of `mtu` bytes and the peer both admit, without regard to options (RFC 9293 §3.7.1). */
export function setPathMtu(flow: TcpFlow, mtu: number): void {
  flow.pathMtu = mtu;
  flow.mss = Math.min(flow.peerMss, mssOfPath(flow, mtu));
}

/** Sets the size for a new connection. A narrow path was seen before: the way up is searched from the start. */
export function startPath(flow: TcpFlow, context: TcpContext, nowMs: number): void {
  const mtu = context.pathMtus.mtuOf(flow.remote);
  setPathMtu(flow, mtu);
  if (mtu < context.mtu) flow.pathSearch = new PathSearch(nowMs);
}

/** Narrows the path of a connection, and begins the search for the way back up. */
export function narrowPath(flow: TcpFlow, mtu: number, isBlackHole: boolean, nowMs: number): void {
  setPathMtu(flow, mtu);
  flow.congestion.setMss(flow.payloadBytes);
  // Where routers report, the report is good for ten minutes (RFC 8201 §4); in a black hole nobody reports anything.
  flow.pathSearch = new PathSearch(nowMs, isBlackHole ? BLACK_HOLE_SEARCH_MS : PATH_MTU_LIFETIME_MS);
}

/** The tunnel itself became narrower: there is nothing to search for. */
export function narrowToLink(flow: TcpFlow, mtu: number): void {
  setPathMtu(flow, mtu);
  flow.congestion.setMss(flow.payloadBytes);
  flow.pathSearch = undefined;
}

/** Returns the MTU of the probe that may leave now; 0: none. */
export function probeMtu(flow: TcpFlow, linkMtu: number, nowMs: number): number {
  const isQuiet = flow.recovery === Recovery.None && flow.records.lostBytes === 0 && sackBlocks(flow) === 0;
  const mtu = isQuiet ? (flow.pathSearch?.candidate(flow.pathMtu, linkMtu, nowMs) ?? 0) : 0;
  if (mtu === 0) return 0;
  const bytes = probeBytes(flow, mtu);
  const isUseful = bytes > flow.payloadBytes && flow.unsentBytes >= bytes + SEGMENTS_BEHIND_PROBE * flow.payloadBytes;
  return isUseful && Math.min(flow.usableWindow, congestionAllowance(flow)) >= bytes ? mtu : 0;
}

/** Returns the data of a segment that makes a packet of `mtu` bytes. */
export function probeBytes(flow: TcpFlow, mtu: number): number {
  return Math.min(flow.peerMss, mssOfPath(flow, mtu)) - flow.timestampBytes;
}

/**
 * Judges the probe that is out, behind an ACK or a loss timer. A lost probe is sent again in small segments and is no sign of
 * congestion (RFC 4821 §7.4).
 *
 * @param isFound Whether something was marked as lost.
 * @returns Whether something beside the probe was lost.
 */
export function judgeProbe(flow: TcpFlow, context: TcpContext, isFound: boolean, nowMs: number): boolean {
  const { pathSearch: search, records } = flow;
  if (search === undefined || search.probedMtu === 0) return isFound;
  if (isFound && search.isProbeLost(records, flow.sndUna)) {
    search.failed();
    return records.lostBytes > ((search.probeEnd - search.probeStart) | 0);
  }
  if (isAtOrBefore(search.probeEnd, flow.sndUna)) widenPath(flow, search, context, nowMs);
  return isFound;
}

function widenPath(flow: TcpFlow, search: PathSearch, context: TcpContext, nowMs: number): void {
  const mtu = search.passed();
  setPathMtu(flow, mtu);
  flow.congestion.setMss(flow.payloadBytes);
  context.pathMtus.confirm(flow.remote, mtu, nowMs);
  if (mtu >= context.mtu) flow.pathSearch = undefined;
}

function mssOfPath(flow: TcpFlow, mtu: number): number {
  return mtu - ipHeaderBytes(flow.remote) - TCP_HEADER_BYTES;
}
