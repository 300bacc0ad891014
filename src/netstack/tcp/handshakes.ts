import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { isUnicastAddress } from '../address.js';
import type { AddressCache } from '../address-cache.js';
import { INITIAL_RTO_MS, QUICK_ACKS, SYN_ACK_RETRIES, SYN_BACKLOG, WINDOW_SHIFT } from '../constants.js';
import type { IpView } from '../ip/ip-view.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import { addSequence, isAtOrBefore, isBefore } from '../sequence.js';
import { HalfOpen } from './half-open.js';
import type { InitialNumbers } from './initial-numbers.js';
import type { SynHandler, TcpListener } from './listener.js';
import { negotiate } from './negotiation.js';
import type { Resets } from './resets.js';
import type { SegmentArrival } from './segment-arrival.js';
import type { TcpContext } from './tcp-context.js';
import { TcpFlow } from './tcp-flow.js';
import { ACK, CWR, ECE, FIN, RST, SYN, TCP_HEADER_BYTES, TcpSegment } from './tcp-segment.js';
import { TcpState } from './tcp-state.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';

/** How long a request in accept-any mode waits for the program: as long as a client retries. */
const DECISION_MS = 63_000;

/** The parts of TCP that the passive side needs. */
export interface HandshakeHost extends TcpContext {
  readonly addresses: AddressCache;
  addHalfOpen(request: HalfOpen): void;
  removeHalfOpen(request: HalfOpen): void;
  /** The handshake is complete: the flow takes the place of the record. */
  promote(request: HalfOpen, flow: TcpFlow, listener: TcpListener | undefined): void;
  listenerOf(address: Int32Array, port: number): TcpListener | undefined;
  scheduleHalfOpen(request: HalfOpen): void;
  requestAnswer(request: HalfOpen): void;
}

/**
 * Passive opens: from the SYN of a peer to a connection that a program can take.
 *
 * Source: RFC 9293 §3.10.7.2, §3.10.7.4; RFC 1122 §4.2.3.10 (no SYN from or to a broadcast address); RFC 4987.
 */
export class Handshakes {
  /** Decides about SYNs that no listener takes; `undefined`: such a SYN is answered with RST. */
  onSyn: SynHandler | undefined;
  /** SYNs that the backlog had no room for. */
  overflows = 0;
  readonly #host: HandshakeHost;
  readonly #numbers: InitialNumbers;
  readonly #resets: Resets;
  readonly #arrival: SegmentArrival;
  readonly #header = new SegmentHeader();
  #waitingForDecision = 0;

  constructor(host: HandshakeHost, numbers: InitialNumbers, resets: Resets, arrival: SegmentArrival) {
    this.#host = host;
    this.#numbers = numbers;
    this.#resets = resets;
    this.#arrival = arrival;
  }

  /** A segment for which there is no record of any kind. */
  arriveWithoutRecord(view: IpView, segment: TcpSegment, nowMs: number): void {
    if (segment.has(RST)) return;
    const isSyn = segment.has(SYN) && !segment.has(ACK | FIN);
    if (!isSyn) {
      this.#refuseStray(view, segment);
      return;
    }
    if (!isOrdinary(view, segment)) return;
    const listener = this.#host.listenerOf(view.destination, segment.destinationPort);
    if (listener !== undefined) this.#listen(listener, view, segment, nowMs);
    else if (this.onSyn !== undefined) this.#ask(view, segment, nowMs);
    else this.#resets.answer(view, segment);
  }

  /** A segment for a connection that is half open. */
  arrive(request: HalfOpen, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    if (segment.has(RST)) {
      if (segment.sequence === addSequence(request.irs, 1)) this.#forget(request);
      return;
    }
    if (segment.has(SYN)) {
      // A SYN that came twice: its answer was lost.
      if (segment.sequence === request.irs && request.isAccepted) this.#answer(request);
      return;
    }
    if (!segment.has(ACK) || !request.isAccepted) return;
    const isGood =
      isBefore(request.iss, segment.acknowledgment) &&
      isAtOrBefore(segment.acknowledgment, addSequence(request.iss, 1));
    if (!isGood) {
      this.#resets.answer(view, segment);
      return;
    }
    this.#complete(request, segment, bytes, view.trafficClass, nowMs);
  }

  /** Lets a request in: SYN-ACK leaves with the next batch. */
  accept(request: HalfOpen, nowMs: number): void {
    if (request.isAccepted || request.deadlineMs === Infinity) return;
    this.#waitingForDecision--;
    request.isAccepted = true;
    this.#open(request, nowMs);
  }

  /** Turns a request down with RST, or in silence. */
  refuse(request: HalfOpen, how: 'reset' | 'silence'): void {
    if (!request.isAccepted) this.#waitingForDecision--;
    this.#host.removeHalfOpen(request);
    if (how === 'silence') return;
    const rcvNxt = addSequence(request.irs, 1);
    const { local, localPort, remote, remotePort } = request;
    this.#resets.abort({ local, localPort, remote, remotePort, sndNxt: 0, rcvNxt });
  }

  /** SYN-ACK again, or the end of it. */
  runDue(request: HalfOpen, nowMs: number): void {
    if (!request.isAccepted || request.retries >= SYN_ACK_RETRIES) {
      this.#forget(request);
      return;
    }
    request.retries++;
    request.deadlineMs = nowMs + INITIAL_RTO_MS * 2 ** request.retries;
    this.#answer(request);
  }

  /** Writes the SYN-ACK of a request. @returns `false` if the batch is full. */
  emit(request: HalfOpen, batch: PacketBatch, nowMs: number): boolean {
    const header = this.#header;
    const { options } = request;
    header.address(request);
    header.sequence = request.iss;
    header.acknowledgment = addSequence(request.irs, 1);
    header.flags = SYN | ACK | (options.wantsEcn ? ECE : 0);
    header.window = FIRST_WINDOW;
    header.mss = this.#host.mtu - ipHeaderBytes(request.remote) - TCP_HEADER_BYTES;
    header.windowShift = options.windowShift >= 0 ? WINDOW_SHIFT : -1;
    header.isSackPermitted = options.isSackPermitted;
    header.hasTimestamps = options.hasTimestamps;
    header.timestampValue = (nowMs + request.timestampOffset) | 0;
    header.timestampEcho = request.tsRecent;
    const row = batch.appendRow(header.headerBytes);
    if (row < 0) return false;
    writeSegment(batch.bytes, batch.offset[row], header, 0);
    request.mustAnswer = false;
    if (request.retries === 0) request.sentMs = nowMs;
    return true;
  }

  #listen(listener: TcpListener, view: IpView, segment: TcpSegment, nowMs: number): void {
    if (listener.halfOpenCount >= SYN_BACKLOG || listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const request = this.#record(view, segment, true);
    listener.halfOpenCount++;
    this.#open(request, nowMs);
    this.#host.addHalfOpen(request);
  }

  #ask(view: IpView, segment: TcpSegment, nowMs: number): void {
    if (this.#waitingForDecision >= SYN_BACKLOG) {
      this.overflows++;
      return;
    }
    const request = this.#record(view, segment, false);
    this.#waitingForDecision++;
    request.deadlineMs = nowMs + DECISION_MS;
    this.#host.addHalfOpen(request);
    this.onSyn?.(request);
  }

  #record(view: IpView, segment: TcpSegment, isAccepted: boolean): HalfOpen {
    const address = {
      local: this.#host.addresses.shared(view.destination),
      localPort: segment.destinationPort,
      remote: this.#host.addresses.shared(view.source),
      remotePort: segment.sourcePort,
    };
    return new HalfOpen(address, segment, isAccepted, segment.has(ECE) && segment.has(CWR));
  }

  #open(request: HalfOpen, nowMs: number): void {
    request.iss = this.#numbers.sequence(request, nowMs);
    request.timestampOffset = this.#numbers.timestampOffset(request);
    request.deadlineMs = nowMs + INITIAL_RTO_MS;
    this.#answer(request);
    this.#host.scheduleHalfOpen(request);
  }

  #answer(request: HalfOpen): void {
    request.mustAnswer = true;
    this.#host.requestAnswer(request);
  }

  #forget(request: HalfOpen): void {
    if (!request.isAccepted) this.#waitingForDecision--;
    this.#host.removeHalfOpen(request);
  }

  #complete(request: HalfOpen, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): void {
    const listener = this.#host.listenerOf(request.local, request.localPort);
    // A full accept queue drops the last ACK: the client sends data again, and finds room then (Linux).
    if (listener !== undefined && listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const flow = this.#makeFlow(request, nowMs);
    this.#host.promote(request, flow, listener);
    this.#arrival.arrive(flow, segment, bytes, trafficClass, nowMs);
  }

  #makeFlow(request: HalfOpen, nowMs: number): TcpFlow {
    const flow = new TcpFlow(request, this.#host.pool);
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
    negotiate(flow, optionsAsSyn(request), this.#host.mtu);
    flow.lastReceivedMs = nowMs;
    return flow;
  }

  /** A stray segment in accept-any mode may belong to another host's flow, so it is not answered. */
  #refuseStray(view: IpView, segment: TcpSegment): void {
    if (this.onSyn !== undefined) return;
    if (!isUnicastAddress(view.source)) return;
    this.#resets.answer(view, segment);
  }
}

/** The window of SYN-ACK is never scaled (RFC 7323 §2.2). */
const FIRST_WINDOW = 65_535;

/** RFC 1122 §4.2.3.10, and a SYN from a host to itself ("LAND"). */
function isOrdinary(view: IpView, segment: TcpSegment): boolean {
  if (!isUnicastAddress(view.source) || !isUnicastAddress(view.destination)) return false;
  const isSameHost = view.source.every((word, i) => word === view.destination[i]);
  return !(isSameHost && segment.sourcePort === segment.destinationPort);
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
