import { DeadlineQueue } from '../../core/session/deadline-queue.js';
import { AddressCache } from '../address-cache.js';
import type { BlockPool } from '../block-pool.js';
import type { PathMtus } from '../ip/path-mtus.js';
import { FlowEvent } from './flow-event.js';
import { FlowTable } from './flow-table.js';
import { type HalfOpen, HandshakeAnswer } from './half-open.js';
import type { HandshakeHost } from './handshakes.js';
import type { TcpListener } from './listener.js';
import { Listeners } from './listeners.js';
import { AckOwed, type TcpFlow } from './tcp-flow.js';
import { TcpState } from './tcp-state.js';
import type { TimeWait } from './time-wait.js';
import { TimeWaits } from './time-waits.js';

/** Everything that may own a pair of ends. */
export type Entry = TcpFlow | HalfOpen | TimeWait;

/** A flow or a listener that has something to report. */
export type TcpEventSource = TcpFlow | TcpListener;

/**
 * The connections of a stack, of every kind, and what each of them waits for: its turn to send, a deadline, or the program.
 *
 * The parts of TCP see it as their `TcpContext`.
 */
export class FlowRegistry implements HandshakeHost {
  readonly pool: BlockPool;
  readonly pathMtus: PathMtus;
  readonly table: FlowTable<Entry>;
  readonly listeners = new Listeners();
  readonly timeWaits = new TimeWaits();
  readonly #halfOpen = new Set<HalfOpen>();
  readonly addresses = new AddressCache();
  /** Flows that may have something to send, in the order in which they asked. */
  readonly output: TcpFlow[] = [];
  /** Half-open connections that owe an answer. */
  readonly answers: HalfOpen[] = [];
  readonly #deadlines = new DeadlineQueue<Entry>();
  readonly #events: TcpEventSource[] = [];

  /** @param random Fills an array with random bytes. */
  constructor(pool: BlockPool, pathMtus: PathMtus, random: (out: Uint8Array) => void) {
    this.pool = pool;
    this.pathMtus = pathMtus;
    this.table = new FlowTable<Entry>(random);
  }

  get mtu(): number {
    return this.pathMtus.linkMtu;
  }

  isFree(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): boolean {
    return this.table.get(local, localPort, remote, remotePort) === undefined;
  }

  /** Takes the next flow or listener with news, or `undefined`. The caller clears `events` of a flow. */
  takeEvent(): TcpEventSource | undefined {
    const source = this.#events.shift();
    if (source !== undefined) source.isInEventQueue = false;
    return source;
  }

  nextDeadline(): number {
    return this.#deadlines.nextDeadline();
  }

  /** Returns the entry whose deadline passed first, or `undefined` if none has passed. */
  due(nowMs: number): Entry | undefined {
    const entry = this.#deadlines.first();
    return entry === undefined || entry.queuedAt > nowMs ? undefined : entry;
  }

  requestOutput(flow: TcpFlow): void {
    if (flow.isInOutputQueue || flow.state === TcpState.Closed) return;
    flow.isInOutputQueue = true;
    this.output.push(flow);
  }

  requestAnswer(request: HalfOpen): void {
    if (!this.answers.includes(request)) this.answers.push(request);
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
    this.table.delete(flow);
  }

  addHalfOpen(request: HalfOpen): void {
    this.table.add(request);
    this.#halfOpen.add(request);
    if (request.listener !== undefined) request.listener.halfOpenCount++;
    this.scheduleHalfOpen(request);
  }

  removeHalfOpen(request: HalfOpen): void {
    this.#endRequest(request);
    this.table.delete(request);
  }

  promote(request: HalfOpen, flow: TcpFlow): void {
    this.#endRequest(request);
    this.table.replace(request, flow);
    request.flow = flow;
    const { listener } = request;
    if (listener === undefined) return;
    listener.accepted.push(flow);
    this.#enqueueEvent(listener);
  }

  /** Takes a listener away, and what it has half open: nobody would take such a connection (RFC 9293 §3.10.4). */
  removeListener(listener: TcpListener): void {
    this.listeners.remove(listener);
    for (const request of this.#halfOpen) if (request.listener === listener) this.removeHalfOpen(request);
  }

  #endRequest(request: HalfOpen): void {
    request.deadlineMs = Infinity;
    request.owed = HandshakeAnswer.None;
    this.#deadlines.remove(request);
    this.#halfOpen.delete(request);
    if (request.listener !== undefined) request.listener.halfOpenCount--;
  }

  listenerOf(address: Int32Array, port: number): TcpListener | undefined {
    return this.listeners.find(address, port);
  }

  /** The flow is over for the program; a record answers what the peer may still send. */
  enterTimeWait(flow: TcpFlow, nowMs: number): void {
    const record = this.timeWaits.add(flow, nowMs);
    flow.state = TcpState.TimeWait;
    flow.closedBy = 'closed';
    this.#deadlines.remove(flow);
    this.table.replace(flow, record);
    if (flow.ackOwed !== AckOwed.None) this.timeWaits.acknowledge(record);
    flow.release(true);
    const { surplus } = this.timeWaits;
    if (surplus !== undefined) this.endTimeWait(surplus);
    this.#deadlines.moveEarlier(record, record.deadlineMs);
    this.post(flow, FlowEvent.Closed);
  }

  endTimeWait(record: TimeWait): void {
    this.timeWaits.remove(record);
    this.#deadlines.remove(record);
    this.table.delete(record);
  }

  #enqueueEvent(source: TcpEventSource): void {
    if (source.isInEventQueue) return;
    source.isInEventQueue = true;
    this.#events.push(source);
  }
}
