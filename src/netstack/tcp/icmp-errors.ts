import type { IcmpError } from '../icmp/icmp-error.js';
import { narrowedMtu } from '../ip/path-mtus.js';
import { isAtOrBefore, isBefore } from '../sequence.js';
import { endFlow } from './flow-end.js';
import { narrowPath } from './path-mtu.js';
import { SACKED } from './send-records.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import { isSynchronized } from './tcp-state.js';

/**
 * Applies an ICMP error to a connection. The error counts only if it quotes a sequence number that is in flight.
 *
 * Source: RFC 5927 §4.1, §5.2, §7; RFC 1122 §4.2.3.9; RFC 1191; RFC 8201 §4.
 */
export function takeIcmpError(context: TcpContext, flow: TcpFlow, error: IcmpError, nowMs: number): void {
  const isInFlight = isAtOrBefore(flow.sndUna, error.sequence) && isBefore(error.sequence, flow.sndNxt);
  if (!isInFlight) return;
  if (error.kind === 'too-big') {
    takeRefusal(context, flow, error, nowMs);
    return;
  }
  // A hard error is soft once both sides know each other: anyone could have sent it (RFC 5927 §5.2). The program learns of it if
  // the connection ends by a timeout (RFC 9293 §3.9.2.2).
  if (isSynchronized(flow.state) || error.kind === 'transient') {
    flow.isUnreachable = true;
    return;
  }
  const isRefusal = error.kind === 'port' || error.kind === 'protocol';
  endFlow(context, flow, isRefusal ? 'refused' : 'unreachable');
}

/** Never up, and never below what every path must carry; what was lost leaves again at once, in smaller segments. */
function takeRefusal(context: TcpContext, flow: TcpFlow, error: IcmpError, nowMs: number): void {
  const { pathSearch } = flow;
  const mtu = narrowedMtu(flow.pathMtu, error.mtu, flow.isIpv4);
  if (mtu < flow.pathMtu) {
    narrowPath(flow, mtu, false, nowMs);
    context.pathMtus.refuse(flow.remote, mtu, nowMs);
  } else if (pathSearch?.isProbe(error.sequence) === true) pathSearch.failed(error.mtu);
  else return;
  markTooBig(flow);
  context.requestOutput(flow);
}

/** The size was refused, not the data: the window stays as it is (RFC 8201 §5.4). */
function markTooBig(flow: TcpFlow): void {
  const { records } = flow;
  for (let i = 0; i < records.count; i++)
    if (!records.has(i, SACKED) && records.bytes(i) > flow.payloadBytes) records.markLost(i);
}
