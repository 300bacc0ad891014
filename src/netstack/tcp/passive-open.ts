import { isUnicastAddress } from '../address.js';
import type { AddressCache } from '../address-cache.js';
import { QUICK_ACKS, WINDOW_SHIFT } from '../constants.js';
import type { IpView } from '../ip/ip-view.js';
import { addSequence } from '../sequence.js';
import { FIRST_WINDOW, HalfOpen } from './half-open.js';
import type { TcpListener } from './listener.js';
import { negotiate } from './negotiation.js';
import type { TcpContext } from './tcp-context.js';
import { TcpFlow } from './tcp-flow.js';
import { TcpSegment } from './tcp-segment.js';
import { TcpState } from './tcp-state.js';

/** RFC 1122 §4.2.3.10, and a SYN from a host to itself ("LAND"). */
export function isOrdinary(view: IpView, segment: TcpSegment): boolean {
  if (!isUnicastAddress(view.source) || !isUnicastAddress(view.destination)) return false;
  const isSameHost = view.source.every((word, i) => word === view.destination[i]);
  return !(isSameHost && segment.sourcePort === segment.destinationPort);
}

/** Makes the record of a SYN. @param leastIss See `HalfOpen`. */
export function makeRequest(
  view: IpView,
  segment: TcpSegment,
  origin: TcpListener | Uint8Array,
  addresses: AddressCache,
  leastIss: number | undefined,
): HalfOpen {
  const address = {
    local: addresses.shared(view.destination),
    localPort: segment.destinationPort,
    remote: addresses.shared(view.source),
    remotePort: segment.sourcePort,
  };
  const request = new HalfOpen(address, segment, origin);
  request.leastIss = leastIss;
  return request;
}

/** The options of the SYN as `negotiate` reads them. */
function optionsAsSyn({ options }: HalfOpen): TcpSegment {
  const syn = new TcpSegment();
  syn.mss = options.mss;
  syn.windowShift = options.windowShift;
  syn.isSackPermitted = options.isSackPermitted;
  syn.hasTimestamps = options.hasTimestamps;
  return syn;
}

/** Makes the control block of a request whose handshake is complete. */
export function makeFlow(request: HalfOpen, context: TcpContext, nowMs: number): TcpFlow {
  const flow = new TcpFlow(request, context.pool);
  const { options } = request;
  flow.state = TcpState.SynReceived;
  flow.iss = request.iss;
  flow.sndUna = request.iss;
  flow.sndNxt = request.sndNxt;
  flow.dataStart = flow.sndNxt;
  flow.irs = request.irs;
  flow.rcvNxt = request.rcvNxt;
  flow.receiveShift = WINDOW_SHIFT;
  flow.hasTimestamps = true;
  flow.hasSack = true;
  flow.hasEcn = options.wantsEcn;
  flow.timestampOffset = request.timestampOffset;
  flow.tsRecent = request.tsRecent;
  flow.tsRecentMs = nowMs;
  flow.lastAckSent = flow.rcvNxt;
  flow.retries = request.retries;
  flow.synSentMs = request.sentMs;
  flow.quickAcks = QUICK_ACKS;
  flow.window.start(flow.rcvNxt, nowMs);
  flow.window.edge = addSequence(flow.rcvNxt, FIRST_WINDOW);
  negotiate(flow, optionsAsSyn(request), context, nowMs);
  flow.lastReceivedMs = nowMs;
  return flow;
}
