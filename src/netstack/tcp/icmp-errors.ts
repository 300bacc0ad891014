import { MIN_PATH_MTU4, MIN_PATH_MTU6 } from '../constants.js';
import type { IcmpError } from '../icmp/icmp-error.js';
import { isAtOrBefore, isBefore } from '../sequence.js';
import { endFlow } from './flow-end.js';
import { setPathMtu } from './negotiation.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import { isSynchronized } from './tcp-state.js';

/** Guesses for a router that gives no MTU (RFC 1191 §7): the next lower size of common links. */
const PLATEAUS = [1_492, 1_400, 1_280, 1_006, 552] as const;

/**
 * Applies an ICMP error to a connection. The error counts only if it quotes a sequence number that is in flight.
 *
 * Source: RFC 5927 §4.1, §5.2, §7; RFC 1122 §4.2.3.9; RFC 1191; RFC 8201 §4.
 */
export function takeIcmpError(context: TcpContext, flow: TcpFlow, error: IcmpError): void {
  const isInFlight = isAtOrBefore(flow.sndUna, error.sequence) && isBefore(error.sequence, flow.sndNxt);
  if (!isInFlight) return;
  if (error.kind === 'too-big') {
    shrinkPath(context, flow, error.mtu);
    return;
  }
  // A hard error is soft once both sides know each other: anyone could have sent it (RFC 5927 §5.2).
  if (isSynchronized(flow.state)) return;
  const isRefusal = error.kind === 'port' || error.kind === 'protocol';
  endFlow(context, flow, isRefusal ? 'refused' : 'unreachable');
}

/** Never up, and never below what every path must carry; what was lost leaves again at once, in smaller segments. */
function shrinkPath(context: TcpContext, flow: TcpFlow, statedMtu: number): void {
  const least = flow.isIpv4 ? MIN_PATH_MTU4 : MIN_PATH_MTU6;
  const guess = statedMtu > 0 ? statedMtu : (PLATEAUS.find((mtu) => mtu < flow.pathMtu) ?? least);
  const mtu = Math.max(guess, least);
  if (mtu >= flow.pathMtu) return;
  setPathMtu(flow, mtu);
  flow.congestion.setMss(flow.mss);
  // The size was refused, not the data: the window stays as it is (RFC 8201 §4).
  flow.records.markLost(0);
  context.requestOutput(flow);
}
