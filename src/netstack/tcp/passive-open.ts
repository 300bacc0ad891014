import { isUnicastAddress } from '../address.js';
import { QUICK_ACKS, WINDOW_SHIFT } from '../constants.js';
import type { IpView } from '../ip/ip-view.js';
import { addSequence, sequenceDistance } from '../sequence.js';
import { HalfOpen } from './half-open.js';
import type { TcpListener } from './listener.js';
import { negotiate } from './negotiation.js';
import type { TcpContext } from './tcp-context.js';
import { TcpFlow } from './tcp-flow.js';
import { TcpSegment } from './tcp-segment.js';
import { TcpState } from './tcp-state.js';

/** How far an ISS is ahead of what an earlier connection of the same ends may have sent: its window (RFC 6191 §2). */
const ISS_DISTANCE = 65_537;

/** The window of SYN-ACK is never scaled (RFC 7323 §2.2). */
export const FIRST_WINDOW = 65_535;

/** RFC 1122 §4.2.3.10, and a SYN from a host to itself ("LAND"). */
export function isOrdinary(view: IpView, segment: TcpSegment): boolean {
  if (!isUnicastAddress(view.source) || !isUnicastAddress(view.destination)) return false;
  const isSameHost = view.source.every((word, i) => word === view.destination[i]);
  return !(isSameHost && segment.sourcePort === segment.destinationPort);
}

/** Makes the record of a SYN. @param leastIss See `Handshakes.arriveWithoutRecord`. */
export function makeRequest(
  view: IpView,
  segment: TcpSegment,
  origin: TcpListener | Uint8Array,
  leastIss: number | undefined,
): HalfOpen {
  const address = {
    local: view.destination.slice(),
    localPort: segment.destinationPort,
    remote: view.source.slice(),
    remotePort: segment.sourcePort,
  };
  const request = new HalfOpen(address, segment, origin);
  request.leastIss = leastIss === undefined ? undefined : addSequence(leastIss, ISS_DISTANCE);
  return request;
}

/** Tests the place in the window and the stamp of the ACK that would complete a handshake (RFC 7323 §5.3). */
export function isCurrent({ irs, tsRecent, options }: HalfOpen, segment: TcpSegment): boolean {
  const ahead = sequenceDistance(addSequence(irs, 1), segment.sequence);
  if (ahead < 0 || ahead >= FIRST_WINDOW) return false;
  return !options.hasTimestamps || !segment.hasTimestamps || ((segment.timestampValue - tsRecent) | 0) >= 0;
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
  flow.sndNxt = addSequence(request.iss, 1);
  flow.dataStart = flow.sndNxt;
  flow.irs = request.irs;
  flow.rcvNxt = addSequence(request.irs, 1);
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
