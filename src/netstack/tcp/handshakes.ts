import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { isUnicastAddress } from '../address.js';
import type { AddressCache } from '../address-cache.js';
import { CHALLENGE_ACK_INTERVAL_MS, INITIAL_RTO_MS, SYN_ACK_RETRIES, SYN_BACKLOG } from '../constants.js';
import type { Icmp } from '../icmp/icmp.js';
import { QUOTED_BYTES, type RefusalKind } from '../icmp/refused.js';
import type { IpView } from '../ip/ip-view.js';
import { laterSequence } from '../sequence.js';
import { SourceShares } from '../source-shares.js';
import { type HalfOpen, HandshakeAnswer } from './half-open.js';
import { HandshakeAnswers } from './handshake-answers.js';
import type { InitialNumbers } from './initial-numbers.js';
import type { TcpListener } from './listener.js';
import { isOrdinary, makeFlow, makeRequest } from './passive-open.js';
import type { Resets } from './resets.js';
import type { SegmentArrival } from './segment-arrival.js';
import type { TcpContext } from './tcp-context.js';
import type { TcpFlow } from './tcp-flow.js';
import { ACK, RST, SYN, type TcpSegment } from './tcp-segment.js';

/** How long a request in accept-any mode waits for the program behind the last SYN: as long as a client retries. */
const DECISION_MS = 63_000;
/** Takes a SYN to an address or port that nobody listens on (a gateway's flows): `accept` or `refuse` follows at any time. */
export type SynHandler = (request: HalfOpen) => void;

/** How a request is turned down: by RST, by an ICMP error that quotes the SYN, or not at all. */
export type Refusal = 'reset' | 'silence' | RefusalKind;

/** The parts of TCP that the passive side needs. */
export interface HandshakeHost extends TcpContext {
  readonly addresses: AddressCache;
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
  /** A request that was accepted has become the flow `request.flow`; its first segment is taken after this returns. */
  onFlow: SynHandler | undefined;
  /** SYNs that the backlog had no room for. */
  overflows = 0;
  readonly #host: HandshakeHost;
  readonly #numbers: InitialNumbers;
  readonly #resets: Resets;
  readonly #arrival: SegmentArrival;
  readonly #icmp: Icmp;
  readonly #answers: HandshakeAnswers;
  /** Requests that no listener takes, until they are over: half of the places at most are one client's. */
  readonly #waiting = new SourceShares(SYN_BACKLOG, SYN_BACKLOG / 2);

  constructor(host: HandshakeHost, numbers: InitialNumbers, resets: Resets, icmp: Icmp, arrival: SegmentArrival) {
    this.#icmp = icmp;
    this.#host = host;
    this.#answers = new HandshakeAnswers(host);
    this.#numbers = numbers;
    this.#resets = resets;
    this.#arrival = arrival;
  }

  /** A segment for which there is no record of any kind. */
  arriveWithoutRecord(view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    if (segment.has(RST)) return;
    if (!segment.has(SYN) || segment.has(ACK)) this.#refuseStray(view, segment);
    else if (!isOrdinary(view, segment)) return;
    else if (this.mayOpen(view, segment)) this.open(view, segment, bytes, nowMs);
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
  open(view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number, leastIss?: number): void {
    const listener = this.#listenerOf(view, segment);
    if (listener === undefined) this.#ask(view, segment, bytes, nowMs, leastIss);
    else this.#listen(makeRequest(view, segment, listener, this.#host.addresses, leastIss), listener, nowMs);
  }

  /** A segment for a connection that is half open. */
  arrive(request: HalfOpen, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    const isExactReset = segment.has(RST) && segment.sequence === request.rcvNxt;
    if (!request.isAccepted) this.#arriveUndecided(request, view, segment, bytes, nowMs);
    else if (request.isSynAgain(segment)) this.#owe(request, HandshakeAnswer.SynAck);
    else if (!request.isCurrent(segment)) {
      if (!segment.has(RST)) this.#challenge(request, segment, nowMs);
    } else if (isExactReset) this.#forget(request);
    else if (segment.has(RST)) this.#challenge(request, segment, nowMs);
    else if (segment.has(SYN)) this.#listenAgain(request, view, segment, bytes, nowMs);
    else if (!segment.has(ACK)) return;
    else if (segment.acknowledgment !== request.sndNxt) this.#resets.answer(view, segment);
    else this.#complete(request, segment, bytes, view.trafficClass, nowMs);
  }

  /** Lets a request in: SYN-ACK leaves with the next batch. */
  accept(request: HalfOpen, nowMs: number): void {
    if (request.isAccepted || request.isOver) return;
    request.isAccepted = true;
    this.#open(request, nowMs);
  }

  /** Turns a request down; one that is over already stays as it is. */
  refuse(request: HalfOpen, how: Refusal, nowMs: number): void {
    if (request.isOver) return;
    this.#release(request);
    this.#host.removeHalfOpen(request);
    if (how === 'silence') return;
    if (how !== 'reset') {
      this.#icmp.refuse({ local: request.local, remote: request.remote, quoted: request.quoted! }, how, nowMs);
      return;
    }
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

  /** Nothing was answered: the newest SYN is the one that the client waits for. */
  #arriveUndecided(request: HalfOpen, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    if (segment.has(RST)) {
      if (segment.sequence === request.rcvNxt) this.#forget(request);
    } else if (request.isSynAgain(segment)) request.deadlineMs = nowMs + DECISION_MS;
    else if (segment.has(SYN) && !segment.has(ACK)) this.#listenAgain(request, view, segment, bytes, nowMs);
  }

  #listen(request: HalfOpen, listener: TcpListener, nowMs: number): void {
    if (listener.halfOpenCount >= SYN_BACKLOG || listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
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
    const request = makeRequest(view, segment, packet.slice(0, QUOTED_BYTES), this.#host.addresses, leastIss);
    request.deadlineMs = nowMs + DECISION_MS;
    this.#host.addHalfOpen(request);
    this.onSyn?.(request);
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
  #listenAgain(request: HalfOpen, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    this.#forget(request);
    this.arriveWithoutRecord(view, segment, bytes, nowMs);
  }

  #forget(request: HalfOpen): void {
    this.#release(request);
    this.#host.removeHalfOpen(request);
    if (request.listener === undefined) this.onSynGone?.(request);
  }

  /** Gives the place of a request of accept-any mode back. */
  #release(request: HalfOpen): void {
    if (request.listener === undefined) this.#waiting.remove(request.remote);
  }

  #complete(request: HalfOpen, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): void {
    const { listener } = request;
    // A full accept queue drops the last ACK: the client sends data again, and finds room then (Linux).
    if (listener !== undefined && listener.accepted.length >= listener.backlog) {
      this.overflows++;
      return;
    }
    const flow = makeFlow(request, this.#host, nowMs);
    this.#release(request);
    this.#host.promote(request, flow);
    if (listener === undefined) this.onFlow?.(request);
    this.#arrival.arrive(flow, segment, bytes, trafficClass, nowMs);
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
