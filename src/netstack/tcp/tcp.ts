import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { DeadlineQueue } from '../../core/session/deadline-queue.js';
import { addressEquals } from '../address.js';
import type { BlockPool } from '../block-pool.js';
import { MAX_TIME_WAITS, TIME_WAIT_MS, WINDOW_SHIFT } from '../constants.js';
import type { IcmpError } from '../icmp/icmp.js';
import type { IpView } from '../ip/ip-view.js';
import type { NetstackEnvironment } from '../ports.js';
import { addSequence, isBefore } from '../sequence.js';
import { AckProcessing } from './ack-processing.js';
import { endFlow } from './flow-end.js';
import { FlowEvent } from './flow-event.js';
import { FlowTable } from './flow-table.js';
import { FlowTimers } from './flow-timers.js';
import { HalfOpen } from './half-open.js';
import { type HandshakeHost, Handshakes } from './handshakes.js';
import { takeIcmpError } from './icmp-errors.js';
import { InitialNumbers } from './initial-numbers.js';
import { TcpListener } from './listener.js';
import { Resets } from './resets.js';
import { SegmentArrival } from './segment-arrival.js';
import { SegmentEmission } from './segment-emission.js';
import { AckOwed, TcpFlow } from './tcp-flow.js';
import { FIN, RST, SYN, TcpSegment } from './tcp-segment.js';
import { isFinPending, TcpState } from './tcp-state.js';
import { TimeWait } from './time-wait.js';
import { TimeWaitReplies } from './time-wait-replies.js';

type Entry = TcpFlow | HalfOpen | TimeWait;

export interface TcpOptions {
  readonly environment: NetstackEnvironment;
  readonly pool: BlockPool;
  readonly mtu: () => number;
  /** Asks for congestion marks on connections that we open (RFC 3168). Marks are accepted always. */
  readonly wantsEcn?: boolean;
}

/** A flow or a listener that has something to report. */
export type TcpEventSource = TcpFlow | TcpListener;

/**
 * TCP: all connections and listeners of a stack.
 *
 * Segments come in with `arrive`, and leave with `emit`, when the host reads. What the program has to learn is collected
 * in `takeEvent`: nothing is called back while a segment is half processed.
 *
 * Source: RFC 9293.
 */
export class Tcp implements HandshakeHost {
  readonly pool: BlockPool;
  readonly handshakes: Handshakes;
  readonly #mtu: () => number;
  readonly #wantsEcn: boolean;
  readonly #numbers: InitialNumbers;
  readonly #table: FlowTable<Entry>;
  readonly #listeners: TcpListener[] = [];
  readonly #deadlines = new DeadlineQueue<Entry>();
  readonly #resets = new Resets();
  readonly #timers = new FlowTimers(this);
  readonly #arrival = new SegmentArrival(this, this.#timers, new AckProcessing(this, this.#timers));
  readonly #emission = new SegmentEmission(this, this.#timers);
  readonly #timeWaitReplies = new TimeWaitReplies();
  readonly #segment = new TcpSegment();
  readonly #output: TcpFlow[] = [];
  readonly #answers: HalfOpen[] = [];
  readonly #events: TcpEventSource[] = [];
  readonly #timeWaits = new Set<TimeWait>();
  /** Segments that were no segments. */
  malformed = 0;

  constructor({ environment, pool, mtu, wantsEcn = false }: TcpOptions) {
    this.pool = pool;
    this.#mtu = mtu;
    this.#wantsEcn = wantsEcn;
    this.#numbers = new InitialNumbers(environment);
    this.#table = new FlowTable<Entry>((out) => environment.random(out));
    this.handshakes = new Handshakes(this, this.#numbers, this.#resets);
  }

  get mtu(): number {
    return this.#mtu();
  }

  /** Connections of every kind: open, half open, and in TIME-WAIT. */
  get flowCount(): number {
    return this.#table.size;
  }

  /** Begins an active open. @returns `undefined` if the pair of ends is taken, or no local port is free. */
  connect(
    local: Int32Array,
    remote: Int32Array,
    remotePort: number,
    nowMs: number,
    localPort = 0,
  ): TcpFlow | undefined {
    const wanted = { local, localPort, remote, remotePort };
    const isFree = (port: number): boolean => this.#isFree(local, port, remote, remotePort);
    const port = localPort === 0 ? this.#numbers.ephemeralPort(wanted, isFree) : localPort;
    if (port === 0 || !isFree(port)) return undefined;
    const flow = new TcpFlow({ local, localPort: port, remote, remotePort }, this.pool);
    flow.state = TcpState.SynSent;
    flow.iss = this.#numbers.sequence(flow, nowMs);
    flow.timestampOffset = this.#numbers.timestampOffset(flow);
    flow.sndUna = flow.iss;
    flow.sndNxt = flow.iss;
    flow.dataStart = addSequence(flow.iss, 1);
    flow.receiveShift = WINDOW_SHIFT;
    flow.hasTimestamps = true;
    flow.hasSack = true;
    flow.hasEcn = this.#wantsEcn;
    flow.mustSendSyn = true;
    flow.window.edge = FIRST_WINDOW_BYTES;
    this.#table.add(flow);
    this.requestOutput(flow);
    return flow;
  }

  /** @returns `undefined` if the port is taken. */
  listen(address: Int32Array | undefined, port: number, backlog?: number): TcpListener | undefined {
    if (this.#listeners.some((other) => other.port === port && overlaps(other.address, address))) return undefined;
    const listener = new TcpListener(address, port, backlog);
    this.#listeners.push(listener);
    return listener;
  }

  /** Stops a listener. Connections that nobody took are reset (RFC 9293 §3.10.4). */
  closeListener(listener: TcpListener): void {
    listener.isClosed = true;
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
    for (const flow of listener.accepted.splice(0)) this.abort(flow);
  }

  /** Queues bytes. @returns Bytes taken; `FlowEvent.Writable` follows when it was less than all. */
  write(flow: TcpFlow, bytes: Uint8Array, at: number, length: number): number {
    if (flow.isFinQueued || flow.state === TcpState.Closed) return 0;
    const room = Math.max(flow.maxSendBytes - flow.sendQueue.length, 0);
    const taken = flow.sendQueue.append(bytes, at, Math.min(length, room));
    if (taken < length) flow.isWriteBlocked = true;
    if (taken > 0) this.requestOutput(flow);
    return taken;
  }

  /** Copies out bytes that are in order. @returns Bytes copied. */
  read(flow: TcpFlow, into: Uint8Array, at: number, length: number, nowMs: number): number {
    const count = flow.receiveQueue.read(into, at, length);
    if (count === 0 || flow.state === TcpState.Closed) return count;
    const { window, receiveQueue } = flow;
    window.read(count, flow.rtt.smoothedMs, nowMs);
    // A window that opens by two segments, or from nothing, is news that the peer waits for.
    const before = window.window(flow.rcvNxt);
    const moved = window.advance(flow.rcvNxt, receiveQueue.unread, flow.mss, flow.receiveShift, this.pool.freeBytes);
    if (moved > 0 && !flow.isFinReceived && (before < 2 * flow.mss || moved >= Math.max(2 * flow.mss, before)))
      this.#acknowledgeNow(flow);
    return count;
  }

  /** Says that nothing more will be written: FIN follows what is queued (RFC 9293 §3.6). */
  shutdown(flow: TcpFlow): void {
    if (flow.isFinQueued || flow.state === TcpState.Closed) return;
    flow.isFinQueued = true;
    if (flow.state === TcpState.Established) flow.state = TcpState.FinWait1;
    else if (flow.state === TcpState.CloseWait) flow.state = TcpState.LastAck;
    this.requestOutput(flow);
  }

  /** The program lets go of a flow. Unread bytes are lost, and the peer learns that by RST (RFC 2525 §2.17). */
  close(flow: TcpFlow, nowMs: number): void {
    if (flow.state === TcpState.Closed || flow.state === TcpState.TimeWait) {
      flow.receiveQueue.clear();
      return;
    }
    if (flow.state === TcpState.SynSent) {
      endFlow(this, flow, 'aborted');
      return;
    }
    if (flow.receiveQueue.unread > 0) {
      this.abort(flow);
      return;
    }
    flow.isOrphan = true;
    this.shutdown(flow);
    if (flow.state === TcpState.FinWait2) this.#timers.armFinWait2(flow, nowMs);
  }

  /** Ends a connection with RST. */
  abort(flow: TcpFlow): void {
    const needsReset = flow.state !== TcpState.Closed && flow.state !== TcpState.SynSent;
    if (needsReset) this.#resets.abort(flow);
    endFlow(this, flow, 'aborted');
  }

  setKeepalive(flow: TcpFlow, isOn: boolean, idleMs: number, nowMs: number): void {
    flow.isKeptAlive = isOn;
    if (idleMs > 0) flow.keepaliveIdleMs = idleMs;
    this.#timers.armKeepalive(flow, nowMs);
  }

  flow(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): TcpFlow | undefined {
    const entry = this.#table.get(local, localPort, remote, remotePort);
    return entry instanceof TcpFlow ? entry : undefined;
  }

  /** Takes the next flow or listener with news, or `undefined`. The caller clears `events` of a flow. */
  takeEvent(): TcpEventSource | undefined {
    const source = this.#events.shift();
    if (source !== undefined) source.isInEventQueue = false;
    return source;
  }

  arrive(view: IpView, bytes: Uint8Array, nowMs: number): void {
    const segment = this.#segment;
    if (
      !segment.read(bytes, view.payloadAt, view.payloadBytes) ||
      segment.sourcePort === 0 ||
      segment.destinationPort === 0
    ) {
      this.malformed++;
      return;
    }
    const entry = this.#table.get(view.destination, segment.destinationPort, view.source, segment.sourcePort);
    if (entry instanceof TcpFlow) {
      if (this.#arrival.arrive(entry, segment, bytes, view.trafficClass, nowMs) === 'reset')
        this.#resets.answer(view, segment);
    } else if (entry instanceof HalfOpen) this.handshakes.arrive(entry, view, segment, bytes, nowMs);
    else if (entry instanceof TimeWait) this.#arriveInTimeWait(entry, view, segment, nowMs);
    else this.handshakes.arriveWithoutRecord(view, segment, nowMs);
  }

  arriveAt(flow: TcpFlow, segment: TcpSegment, bytes: Uint8Array, trafficClass: number, nowMs: number): void {
    this.#arrival.arrive(flow, segment, bytes, trafficClass, nowMs);
  }

  takeIcmpError(error: IcmpError): void {
    const flow = this.flow(error.local, error.localPort, error.remote, error.remotePort);
    if (flow !== undefined) takeIcmpError(this, flow, error);
  }

  /** Writes what may leave. @returns `false` if the batch is full and more waits. */
  emit(batch: PacketBatch, nowMs: number): boolean {
    if (!this.#resets.emit(batch) || !this.#timeWaitReplies.emit(batch, nowMs)) return false;
    while (this.#answers.length > 0) {
      const request = this.#answers[0];
      if (request.mustAnswer && !this.handshakes.emit(request, batch, nowMs)) return false;
      this.#answers.shift();
    }
    while (this.#output.length > 0) {
      const flow = this.#output[0];
      if (!this.#emission.emit(flow, batch, nowMs)) {
        // The next batch begins with another flow, so that one bulk transfer does not stop the rest.
        this.#output.push(this.#output.shift()!);
        return false;
      }
      this.#output.shift();
      flow.isInOutputQueue = false;
    }
    return true;
  }

  get hasOutput(): boolean {
    return this.#output.length + this.#answers.length + this.#resets.count + this.#timeWaitReplies.count > 0;
  }

  nextDeadline(): number {
    return this.#deadlines.nextDeadline();
  }

  runDue(nowMs: number): void {
    for (let entry = this.#deadlines.first(); entry !== undefined; entry = this.#deadlines.first()) {
      if (entry.queuedAt > nowMs) return;
      if (entry instanceof TcpFlow) this.#timers.runDue(entry, nowMs);
      else if (entry instanceof HalfOpen) this.handshakes.runDue(entry, nowMs);
      else this.#endTimeWait(entry);
    }
  }

  // What the parts ask for.

  requestOutput(flow: TcpFlow): void {
    if (flow.isInOutputQueue || flow.state === TcpState.Closed) return;
    flow.isInOutputQueue = true;
    this.#output.push(flow);
  }

  requestAnswer(request: HalfOpen): void {
    if (!this.#answers.includes(request)) this.#answers.push(request);
  }

  post(flow: TcpFlow, events: number): void {
    flow.events |= events;
    this.#enqueueEvent(flow);
  }

  schedule(flow: TcpFlow): void {
    const deadline = flow.nextDeadline();
    if (deadline < flow.queuedAt) this.#deadlines.moveEarlier(flow, deadline);
  }

  scheduleHalfOpen(request: HalfOpen): void {
    if (request.deadlineMs < request.queuedAt) this.#deadlines.moveEarlier(request, request.deadlineMs);
  }

  remove(flow: TcpFlow): void {
    this.#deadlines.remove(flow);
    this.#table.delete(flow);
  }

  addHalfOpen(request: HalfOpen): void {
    this.#table.add(request);
    this.scheduleHalfOpen(request);
  }

  removeHalfOpen(request: HalfOpen): void {
    request.deadlineMs = Infinity;
    request.mustAnswer = false;
    this.#deadlines.remove(request);
    this.#table.delete(request);
    const listener = this.listenerOf(request.local, request.localPort);
    if (listener !== undefined) listener.halfOpenCount--;
  }

  promote(request: HalfOpen, flow: TcpFlow, listener: TcpListener | undefined): void {
    request.deadlineMs = Infinity;
    request.mustAnswer = false;
    this.#deadlines.remove(request);
    this.#table.replace(request, flow);
    if (listener === undefined) return;
    listener.halfOpenCount--;
    listener.accepted.push(flow);
    this.#enqueueEvent(listener);
  }

  listenerOf(address: Int32Array, port: number): TcpListener | undefined {
    let general: TcpListener | undefined;
    for (const listener of this.#listeners) {
      if (listener.port !== port) continue;
      if (listener.address === undefined) general = listener;
      else if (addressEquals(listener.address, 0, address, 0)) return listener;
    }
    return general;
  }

  /** The flow is over for the program; a record answers what the peer may still send. */
  enterTimeWait(flow: TcpFlow, nowMs: number): void {
    const record = new TimeWait(flow, nowMs + TIME_WAIT_MS);
    flow.state = TcpState.TimeWait;
    flow.closedBy = 'closed';
    this.#deadlines.remove(flow);
    this.#table.replace(flow, record);
    if (flow.ackOwed !== AckOwed.None) this.#timeWaitReplies.push(record);
    flow.release(true);
    this.#timeWaits.add(record);
    if (this.#timeWaits.size > MAX_TIME_WAITS)
      for (const oldest of this.#timeWaits) {
        this.#endTimeWait(oldest);
        break;
      }
    this.#deadlines.moveEarlier(record, record.deadlineMs);
    this.post(flow, FlowEvent.Closed);
  }

  /** RFC 9293 §3.10.7.4 (TIME-WAIT), RFC 1337 (RST is ignored), RFC 6191 §2 (a new SYN). */
  #arriveInTimeWait(record: TimeWait, view: IpView, segment: TcpSegment, nowMs: number): void {
    if (segment.has(RST)) return;
    if (segment.has(SYN) && isNewConnection(record, segment)) {
      this.#endTimeWait(record);
      this.handshakes.arriveWithoutRecord(view, segment, nowMs);
      return;
    }
    if (segment.has(FIN)) record.deadlineMs = nowMs + TIME_WAIT_MS;
    if (segment.sequenceBytes > 0 || segment.sequence !== record.rcvNxt)
      this.#timeWaitReplies.answer(record, segment, nowMs);
  }

  #endTimeWait(record: TimeWait): void {
    record.deadlineMs = Infinity;
    this.#timeWaits.delete(record);
    this.#deadlines.remove(record);
    this.#table.delete(record);
  }

  #isFree(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): boolean {
    return this.#table.get(local, localPort, remote, remotePort) === undefined;
  }

  #acknowledgeNow(flow: TcpFlow): void {
    if (isFinPending(flow.state) && flow.isFinReceived) return;
    flow.ackOwed = AckOwed.Now;
    this.requestOutput(flow);
  }

  #enqueueEvent(source: TcpEventSource): void {
    if (source.isInEventQueue) return;
    source.isInEventQueue = true;
    this.#events.push(source);
  }
}

/** The window field of a SYN, which is never scaled. */
const FIRST_WINDOW_BYTES = 65_535;

function overlaps(a: Int32Array | undefined, b: Int32Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : addressEquals(a, 0, b, 0);
}

function isNewConnection(record: TimeWait, segment: TcpSegment): boolean {
  if (record.hasTimestamps && segment.hasTimestamps) return ((segment.timestampValue - record.tsRecent) | 0) > 0;
  return isBefore(record.rcvNxt, segment.sequence);
}
