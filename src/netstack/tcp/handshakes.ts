import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { isUnicastAddress } from '../address.js';
import { INITIAL_RTO_MS, SYN_ACK_RETRIES, SYN_BACKLOG, WINDOW_SHIFT } from '../constants.js';
import type { Icmp } from '../icmp/icmp.js';
import { QUOTED_BYTES, type RefusalKind } from '../icmp/refused.js';
import type { IpView } from '../ip/ip-view.js';
import { ipHeaderBytes } from '../ip/ip-writer.js';
import { addSequence, isAtOrBefore, isBefore, laterSequence } from '../sequence.js';
import { SourceShares } from '../source-shares.js';
import type { HalfOpen } from './half-open.js';
import type { InitialNumbers } from './initial-numbers.js';
import type { TcpListener } from './listener.js';
import { FIRST_WINDOW, isCurrent, isOrdinary, makeFlow, makeRequest } from './passive-open.js';
import type { Resets } from './resets.js';
import type { SegmentArrival } from './segment-arrival.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import { ACK, ECE, FIN, RST, SYN, TCP_HEADER_BYTES, type TcpSegment } from './tcp-segment.js';
import { SegmentHeader, writeSegment } from './tcp-writer.js';

/** How long a request in accept-any mode waits for the program behind the last SYN: as long as a client retries. */
const DECISION_MS = 63_000;
/** Takes a SYN to an address or port that nobody listens on (a gateway's flows): `accept` or `refuse` follows at any time. */
export type SynHandler = (request: HalfOpen) => void;

/** How a request is turned down: by RST, by an ICMP error that quotes the SYN, or not at all. */
export type Refusal = 'reset' | 'silence' | RefusalKind;

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
  /** A request that `onSyn` was given is over without a connection: the client reset it or fell silent. */
  onSynGone: SynHandler | undefined;
  /** SYNs that the backlog had no room for. */
  overflows = 0;
  readonly #host: HandshakeHost;
  readonly #numbers: InitialNumbers;
  readonly #resets: Resets;
  readonly #arrival: SegmentArrival;
  readonly #icmp: Icmp;
  readonly #header = new SegmentHeader();
  /** Requests that wait for the program: half of the places at most are one client's. */
  readonly #waiting = new SourceShares(SYN_BACKLOG, SYN_BACKLOG / 2);

  constructor(host: HandshakeHost, numbers: InitialNumbers, resets: Resets, icmp: Icmp, arrival: SegmentArrival) {
    this.#icmp = icmp;
    this.#host = host;
    this.#numbers = numbers;
    this.#resets = resets;
    this.#arrival = arrival;
  }

  /**
   * A segment for which there is no record of any kind.
   *
   * @param leastIss Where the ISS has to lie at least, because an earlier connection of the same ends is hardly over.
   */
  arriveWithoutRecord(view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number, leastIss?: number): void {
    if (segment.has(RST)) return;
    const isSyn = segment.has(SYN) && !segment.has(ACK | FIN);
    if (!isSyn) {
      this.#refuseStray(view, segment);
      return;
    }
    if (!isOrdinary(view, segment)) return;
    const listener = this.#host.listenerOf(view.destination, segment.destinationPort);
    if (listener !== undefined) this.#listen(listener, view, segment, nowMs, leastIss);
    else if (this.onSyn !== undefined) this.#ask(view, segment, bytes, nowMs, leastIss);
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
      if (segment.sequence !== request.irs) return;
      if (request.isAccepted) this.#answer(request);
      else request.deadlineMs = nowMs + DECISION_MS;
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
    // Out of the window or older than the SYN: SYN-ACK again shows the client where we are (RFC 9293 §3.10.7.4).
    if (!isCurrent(request, segment)) this.#answer(request);
    else if (request.listener?.isClosed === true) this.#refuseLate(request, view, segment);
    else this.#complete(request, segment, bytes, view.trafficClass, nowMs);
  }

  /** Lets a request in: SYN-ACK leaves with the next batch. */
  accept(request: HalfOpen, nowMs: number): void {
    if (request.isAccepted || request.deadlineMs === Infinity) return;
    this.#waiting.remove(request.remote);
    request.isAccepted = true;
    this.#open(request, nowMs);
  }

  /** Turns a request down; one that is over already stays as it is. */
  refuse(request: HalfOpen, how: Refusal, nowMs: number): void {
    if (request.deadlineMs === Infinity) return;
    if (!request.isAccepted) this.#waiting.remove(request.remote);
    this.#host.removeHalfOpen(request);
    if (how === 'silence') return;
    if (how !== 'reset') {
      this.#icmp.refuse({ local: request.local, remote: request.remote, quoted: request.quoted! }, how, nowMs);
      return;
    }
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

  #listen(listener: TcpListener, view: IpView, segment: TcpSegment, nowMs: number, leastIss?: number): void {
    if (listener.halfOpenCount >= SYN_BACKLOG || listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const request = makeRequest(view, segment, listener, leastIss);
    listener.halfOpenCount++;
    this.#open(request, nowMs);
    this.#host.addHalfOpen(request);
  }

  #ask(view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number, leastIss?: number): void {
    if (!this.#waiting.add(view.source)) {
      this.overflows++;
      this.#resets.answer(view, segment);
      return;
    }
    const packet = bytes.subarray(view.at, view.payloadAt + view.payloadBytes);
    const request = makeRequest(view, segment, packet.slice(0, QUOTED_BYTES), leastIss);
    request.deadlineMs = nowMs + DECISION_MS;
    this.#host.addHalfOpen(request);
    this.onSyn?.(request);
  }

  #open(request: HalfOpen, nowMs: number): void {
    request.iss = this.#numbers.sequence(request, nowMs);
    if (request.leastIss !== undefined) request.iss = laterSequence(request.iss, request.leastIss);
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
    if (!request.isAccepted) this.#waiting.remove(request.remote);
    this.#host.removeHalfOpen(request);
    if (request.listener === undefined) this.onSynGone?.(request);
  }

  /** The listener was closed while the handshake went on. */
  #refuseLate(request: HalfOpen, view: IpView, segment: TcpSegment): void {
    this.#host.removeHalfOpen(request);
    this.#resets.answer(view, segment);
  }

  #complete(request: HalfOpen, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): void {
    const { listener } = request;
    // A full accept queue drops the last ACK: the client sends data again, and finds room then (Linux).
    if (listener !== undefined && listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const flow = makeFlow(request, this.#host, nowMs);
    this.#host.promote(request, flow);
    this.#arrival.arrive(flow, segment, bytes, trafficClass, nowMs);
  }

  /** A stray segment in accept-any mode may belong to another host's flow, so it is not answered. */
  #refuseStray(view: IpView, segment: TcpSegment): void {
    if (this.onSyn !== undefined) return;
    if (!isUnicastAddress(view.source)) return;
    this.#resets.answer(view, segment);
  }
}
