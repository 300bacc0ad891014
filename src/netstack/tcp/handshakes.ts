import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { isUnicastAddress } from '../address.js';
import {
  CHALLENGE_ACK_INTERVAL_MS,
  INITIAL_RTO_MS,
  QUICK_ACKS,
  SYN_ACK_RETRIES,
  SYN_BACKLOG,
  WINDOW_SHIFT,
} from '../constants.js';
import type { IpView } from '../ip/ip-view.js';
import { addSequence, laterSequence } from '../sequence.js';
import { FIRST_WINDOW, HalfOpen, HandshakeAnswer } from './half-open.js';
import { HandshakeAnswers } from './handshake-answers.js';
import type { InitialNumbers } from './initial-numbers.js';
import type { TcpListener } from './listener.js';
import { negotiate } from './negotiation.js';
import type { Resets } from './resets.js';
import type { SegmentArrival } from './segment-arrival.js';
import type { TcpContext } from './tcp-context.js';
import { TcpFlow } from './tcp-flow.js';
import { ACK, CWR, ECE, RST, SYN, TcpSegment } from './tcp-segment.js';
import { TcpState } from './tcp-state.js';

/** How long a request in accept-any mode waits for the program: as long as a client retries. */
const DECISION_MS = 63_000;

/** Decides about a SYN to an address or port that nobody listens on (a gateway's flows). */
export type SynHandler = (request: HalfOpen) => void;

/** The parts of TCP that the passive side needs. */
export interface HandshakeHost extends TcpContext {
  addHalfOpen(request: HalfOpen): void;
  removeHalfOpen(request: HalfOpen): void;
  /** The handshake is complete: the flow takes the place of the record. */
  promote(request: HalfOpen, flow: TcpFlow): void;
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
  readonly #answers: HandshakeAnswers;
  #waitingForDecision = 0;

  constructor(host: HandshakeHost, numbers: InitialNumbers, resets: Resets, arrival: SegmentArrival) {
    this.#host = host;
    this.#answers = new HandshakeAnswers(host);
    this.#numbers = numbers;
    this.#resets = resets;
    this.#arrival = arrival;
  }

  /** A segment for which there is no record of any kind. */
  arriveWithoutRecord(view: IpView, segment: TcpSegment, nowMs: number): void {
    if (segment.has(RST)) return;
    if (!segment.has(SYN) || segment.has(ACK)) this.#refuseStray(view, segment);
    else if (!isOrdinary(view, segment)) return;
    else if (this.mayOpen(view, segment)) this.open(view, segment, nowMs);
    else this.#resets.answer(view, segment);
  }

  /** Whether somebody listens on the port of a SYN, or decides about it. */
  mayOpen(view: IpView, segment: TcpSegment): boolean {
    return this.onSyn !== undefined || this.#listenerOf(view, segment) !== undefined;
  }

  /**
   * Begins a passive open. Data and FIN of the SYN are not kept: the peer sends them again.
   *
   * @param leastIss See `HalfOpen`.
   */
  open(view: IpView, segment: TcpSegment, nowMs: number, leastIss?: number): void {
    const request = this.#record(view, segment);
    request.leastIss = leastIss;
    if (request.listener === undefined) this.#ask(request, nowMs);
    else this.#listen(request, request.listener, nowMs);
  }

  /** A segment for a connection that is half open. */
  arrive(request: HalfOpen, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    const isExactReset = segment.has(RST) && segment.sequence === request.rcvNxt;
    if (!request.isAccepted) {
      if (isExactReset) this.#forget(request);
    } else if (request.isSynAgain(segment)) this.#owe(request, HandshakeAnswer.SynAck);
    else if (!request.isInWindow(segment)) {
      if (!segment.has(RST)) this.#challenge(request, segment, nowMs);
    } else if (isExactReset) this.#forget(request);
    else if (segment.has(RST)) this.#challenge(request, segment, nowMs);
    else if (segment.has(SYN)) this.#listenAgain(request, view, segment, nowMs);
    else if (!segment.has(ACK)) return;
    else if (segment.acknowledgment !== request.sndNxt) this.#resets.answer(view, segment);
    else this.#complete(request, segment, bytes, view.trafficClass, nowMs);
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
    const { local, localPort, remote, remotePort, rcvNxt } = request;
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
    this.#owe(request, HandshakeAnswer.SynAck);
  }

  /** See `HandshakeAnswers`. */
  emit(request: HalfOpen, batch: PacketBatch, nowMs: number): boolean {
    return this.#answers.emit(request, batch, nowMs);
  }

  #listenerOf(view: IpView, segment: TcpSegment): TcpListener | undefined {
    return this.#host.listenerOf(view.destination, segment.destinationPort);
  }

  #listen(request: HalfOpen, listener: TcpListener, nowMs: number): void {
    if (listener.halfOpenCount >= SYN_BACKLOG || listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    this.#open(request, nowMs);
    this.#host.addHalfOpen(request);
  }

  #ask(request: HalfOpen, nowMs: number): void {
    if (this.#waitingForDecision >= SYN_BACKLOG) {
      this.overflows++;
      return;
    }
    this.#waitingForDecision++;
    request.deadlineMs = nowMs + DECISION_MS;
    this.#host.addHalfOpen(request);
    this.onSyn?.(request);
  }

  #record(view: IpView, segment: TcpSegment): HalfOpen {
    const address = {
      local: view.destination.slice(),
      localPort: segment.destinationPort,
      remote: view.source.slice(),
      remotePort: segment.sourcePort,
    };
    return new HalfOpen(address, segment, this.#listenerOf(view, segment), segment.has(ECE) && segment.has(CWR));
  }

  #open(request: HalfOpen, nowMs: number): void {
    request.iss = this.#numbers.sequence(request, nowMs);
    if (request.leastIss !== undefined) request.iss = laterSequence(request.iss, request.leastIss);
    request.timestampOffset = this.#numbers.timestampOffset(request);
    request.deadlineMs = nowMs + INITIAL_RTO_MS;
    this.#owe(request, HandshakeAnswer.SynAck);
    this.#host.scheduleHalfOpen(request);
  }

  /** A SYN-ACK takes the place of an ACK that waits. */
  #owe(request: HalfOpen, answer: HandshakeAnswer): void {
    if (answer > request.owed) request.owed = answer;
    this.#host.requestAnswer(request);
  }

  /** RFC 9293 §3.10.7.4, first step, and RFC 5961 §3.2; at the bounded rate of RFC 5961 §7 where no data came. */
  #challenge(request: HalfOpen, segment: TcpSegment, nowMs: number): void {
    if (segment.dataBytes === 0 && nowMs - request.lastChallengeMs < CHALLENGE_ACK_INTERVAL_MS) return;
    request.lastChallengeMs = nowMs;
    this.#owe(request, HandshakeAnswer.Acknowledgment);
  }

  /** RFC 9293 §3.10.7.4: a SYN in the window returns a passive open to LISTEN. There it counts. */
  #listenAgain(request: HalfOpen, view: IpView, segment: TcpSegment, nowMs: number): void {
    this.#forget(request);
    this.arriveWithoutRecord(view, segment, nowMs);
  }

  #forget(request: HalfOpen): void {
    if (!request.isAccepted) this.#waitingForDecision--;
    this.#host.removeHalfOpen(request);
  }

  #complete(request: HalfOpen, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): void {
    const { listener } = request;
    // A full accept queue drops the last ACK: the client sends data again, and finds room then (Linux).
    if (listener !== undefined && listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const flow = this.#makeFlow(request, nowMs);
    this.#host.promote(request, flow);
    this.#arrival.arrive(flow, segment, bytes, trafficClass, nowMs);
  }

  #makeFlow(request: HalfOpen, nowMs: number): TcpFlow {
    const flow = new TcpFlow(request, this.#host.pool);
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
    negotiate(flow, optionsAsSyn(request), this.#host.mtu);
    flow.lastReceivedMs = nowMs;
    return flow;
  }

  /** A stray segment in accept-any mode may belong to another host's flow, so it is not answered. */
  #refuseStray(view: IpView, segment: TcpSegment): void {
    if (this.onSyn !== undefined) return;
    if (!isUnicastAddress(view.source)) return;
    // RFC 9293 §3.10.7.2, fourth step: what is neither SYN nor ACK means nothing to a listener.
    if (!segment.has(ACK) && this.#listenerOf(view, segment) !== undefined) return;
    this.#resets.answer(view, segment);
  }
}

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
