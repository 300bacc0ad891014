import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { isUnicastAddress } from '../address.js';
import type { BlockPool } from '../block-pool.js';

import type { Icmp } from '../icmp/icmp.js';
import type { IcmpError } from '../icmp/icmp-error.js';
import type { IpView } from '../ip/ip-view.js';
import type { PathMtus } from '../ip/path-mtus.js';
import type { NetstackEnvironment } from '../ports.js';
import type { Segmenter } from '../segments/segmenter.js';
import { AckProcessing } from './ack-processing.js';
import { makeConnectingFlow } from './active-open.js';
import { endFlow, needsReset } from './flow-end.js';
import { FlowRegistry, type TcpEventSource } from './flow-registry.js';
import { FlowTimers } from './flow-timers.js';
import { HalfOpen } from './half-open.js';
import { Handshakes } from './handshakes.js';
import { takeIcmpError } from './icmp-errors.js';
import { InitialNumbers } from './initial-numbers.js';
import type { TcpListener } from './listener.js';
import { Resets } from './resets.js';
import { SegmentArrival } from './segment-arrival.js';
import { SegmentEmission } from './segment-emission.js';
import { AckOwed, TcpFlow } from './tcp-flow.js';
import { TcpSegment } from './tcp-segment.js';
import { isFinPending, TcpState } from './tcp-state.js';
import { TimeWait } from './time-wait.js';
import { isNewConnection, leastIssAfter } from './time-waits.js';

export interface TcpOptions {
  readonly environment: NetstackEnvironment;
  readonly pool: BlockPool;
  readonly pathMtus: PathMtus;
  readonly icmp: Icmp;
  readonly segmenter: Segmenter;
  /** Asks for congestion marks on connections that we open (RFC 3168). Marks are accepted always. */
  readonly wantsEcn?: boolean;
}

/**
 * TCP: all connections and listeners of a stack.
 *
 * Segments come in with `arrive`, and leave with `emit`, when the host reads. What the program has to learn is collected
 * in `takeEvent`: nothing is called back while a segment is half processed.
 *
 * Source: RFC 9293.
 */
export class Tcp {
  readonly handshakes: Handshakes;
  readonly #registry: FlowRegistry;
  readonly #wantsEcn: boolean;
  readonly #numbers: InitialNumbers;
  readonly #resets = new Resets();
  readonly #timers: FlowTimers;
  readonly #arrival: SegmentArrival;
  readonly #emission: SegmentEmission;
  readonly #segment = new TcpSegment();
  /** Segments that were no segments. */
  malformed = 0;

  constructor({ environment, pool, segmenter, pathMtus, icmp, wantsEcn = false }: TcpOptions) {
    const registry = new FlowRegistry(pool, pathMtus, (out) => environment.random(out));
    this.#registry = registry;
    this.#wantsEcn = wantsEcn;
    this.#numbers = new InitialNumbers(environment);
    this.#timers = new FlowTimers(registry);
    this.#arrival = new SegmentArrival(registry, this.#timers, new AckProcessing(registry, this.#timers));
    this.#emission = new SegmentEmission(registry, this.#timers, segmenter);
    this.handshakes = new Handshakes(registry, this.#numbers, this.#resets, icmp, this.#arrival);
  }

  /** Connections of every kind: open, half open, and in TIME-WAIT. */
  get flowCount(): number {
    return this.#registry.table.size;
  }

  /**
   * Begins an active open.
   *
   * @returns `undefined` if the pair of ends is taken, no local port is free, or the remote address is no single host's.
   */
  connect(
    local: Int32Array,
    remote: Int32Array,
    remotePort: number,
    nowMs: number,
    localPort = 0,
  ): TcpFlow | undefined {
    if (!isUnicastAddress(remote) || remotePort === 0) return undefined; // RFC 9293 §3.9.2.3
    const wanted = { local, localPort, remote, remotePort };
    const isFree = (port: number): boolean => this.#registry.isFree(local, port, remote, remotePort);
    const port = localPort === 0 ? this.#numbers.ephemeralPort(wanted, isFree) : localPort;
    if (port === 0 || !isFree(port)) return undefined;
    const { addresses, pool } = this.#registry;
    const ends = { local: addresses.shared(local), localPort: port, remote: addresses.shared(remote), remotePort };
    const flow = makeConnectingFlow(ends, pool, this.#numbers, nowMs);
    flow.hasEcn = this.#wantsEcn;
    this.#registry.table.add(flow);
    this.#registry.requestOutput(flow);
    return flow;
  }

  /**
   * Sends the SYNs again that nobody has answered. Where the path only now begins to exist, they need not wait for their timers,
   * and those that were lost before that are no sign of congestion.
   */
  repeatSyns(): void {
    for (const flow of this.#registry.table.values()) {
      if (!(flow instanceof TcpFlow) || flow.state !== TcpState.SynSent || flow.sndUna !== flow.iss) continue;
      flow.mustSendSyn = true;
      this.#registry.requestOutput(flow);
    }
  }

  /** @returns `undefined` if the port is taken. */
  listen(address: Int32Array | undefined, port: number, backlog?: number): TcpListener | undefined {
    return this.#registry.listeners.add(address, port, backlog);
  }

  /** Returns the listener that takes connections to a port of an address. */
  listenerOf(address: Int32Array, port: number): TcpListener | undefined {
    return this.#registry.listenerOf(address, port);
  }

  /** Stops a listener. Connections that nobody took are reset (RFC 9293 §3.10.4). */
  closeListener(listener: TcpListener): void {
    this.#registry.removeListener(listener);
    for (const flow of listener.accepted.splice(0)) this.abort(flow);
  }

  /** Queues bytes. @returns Bytes taken; `FlowEvent.Writable` follows when it was less than all. */
  write(flow: TcpFlow, bytes: Uint8Array, at: number, length: number): number {
    if (flow.isFinQueued || flow.state === TcpState.Closed) return 0;
    flow.noteWindow();
    const room = Math.max(flow.sendBufferBytes - flow.sendQueue.length, 0);
    const taken = flow.sendQueue.append(bytes, at, Math.min(length, room));
    if (taken < length) flow.isWriteBlocked = true;
    if (taken > 0) this.#registry.requestOutput(flow);
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
    const moved = window.advance(
      flow.rcvNxt,
      receiveQueue.unread,
      flow.mss,
      flow.receiveShift,
      this.#registry.pool.freeBytes,
    );
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
    this.#registry.requestOutput(flow);
  }

  /** The program lets go of a flow. Unread bytes are lost, and the peer learns that by RST (RFC 2525 §2.17). */
  close(flow: TcpFlow, nowMs: number): void {
    if (flow.state === TcpState.Closed || flow.state === TcpState.TimeWait) {
      flow.receiveQueue.clear();
      return;
    }
    if (flow.state === TcpState.SynSent) {
      endFlow(this.#registry, flow, 'aborted');
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

  /** Ends a connection, with RST unless the peer is done with it as well (RFC 9293 §3.10.5). */
  abort(flow: TcpFlow): void {
    if (flow.state === TcpState.Closed || flow.state === TcpState.TimeWait) {
      flow.receiveQueue.clear();
      return;
    }
    if (needsReset(flow)) this.#resets.abort(flow);
    endFlow(this.#registry, flow, 'aborted');
  }

  /** Ends every connection with RST: nothing is left that an answer could come to. */
  abortAll(): void {
    for (const flow of [...this.#registry.table.values()]) if (flow instanceof TcpFlow) this.abort(flow);
  }

  setKeepalive(flow: TcpFlow, isOn: boolean, idleMs: number, nowMs: number): void {
    flow.isKeptAlive = isOn;
    if (idleMs > 0) flow.keepaliveIdleMs = idleMs;
    this.#timers.armKeepalive(flow, nowMs);
  }

  flow(local: Int32Array, localPort: number, remote: Int32Array, remotePort: number): TcpFlow | undefined {
    const entry = this.#registry.table.get(local, localPort, remote, remotePort);
    return entry instanceof TcpFlow ? entry : undefined;
  }

  /** Takes the next flow or listener with news, or `undefined`. The caller clears `events` of a flow. */
  takeEvent(): TcpEventSource | undefined {
    return this.#registry.takeEvent();
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
    segment.count = view.segments;
    const entry = this.#registry.table.get(view.destination, segment.destinationPort, view.source, segment.sourcePort);
    if (entry instanceof TcpFlow) {
      if (this.#arrival.arrive(entry, segment, bytes, view.trafficClass, nowMs) === 'reset')
        this.#resets.answer(view, segment);
    } else if (entry instanceof HalfOpen) this.handshakes.arrive(entry, view, segment, bytes, nowMs);
    else if (entry instanceof TimeWait) this.#arriveInTimeWait(entry, view, segment, bytes, nowMs);
    else this.handshakes.arriveWithoutRecord(view, segment, bytes, nowMs);
  }

  takeIcmpError(error: IcmpError, nowMs: number): void {
    const flow = this.flow(error.local, error.localPort, error.remote, error.remotePort);
    if (flow !== undefined) takeIcmpError(this.#registry, flow, error, nowMs);
  }

  /** Writes what may leave. @returns `false` if the batch is full and more waits. */
  emit(batch: PacketBatch, nowMs: number): boolean {
    if (!this.#resets.emit(batch) || !this.#registry.timeWaits.emit(batch, nowMs)) return false;
    const { answers, output } = this.#registry;
    while (answers.length > 0) {
      const request = answers[0];
      if (!this.handshakes.emit(request, batch, nowMs)) return false;
      answers.shift();
    }
    while (output.length > 0) {
      const flow = output[0];
      if (!this.#emission.emit(flow, batch, nowMs)) {
        // The next batch begins with another flow, so that one bulk transfer does not stop the rest.
        output.push(output.shift()!);
        return false;
      }
      output.shift();
      flow.isInOutputQueue = false;
    }
    return true;
  }

  get hasOutput(): boolean {
    const { output, answers, timeWaits } = this.#registry;
    return output.length + answers.length + this.#resets.count + timeWaits.waitingCount > 0;
  }

  nextDeadline(): number {
    return this.#registry.nextDeadline();
  }

  runDue(nowMs: number): void {
    for (let entry = this.#registry.due(nowMs); entry !== undefined; entry = this.#registry.due(nowMs)) {
      if (entry instanceof TcpFlow) this.#timers.runDue(entry, nowMs);
      else if (entry instanceof HalfOpen) this.handshakes.runDue(entry, nowMs);
      else this.#registry.endTimeWait(entry);
    }
  }

  #arriveInTimeWait(record: TimeWait, view: IpView, segment: TcpSegment, bytes: Uint8Array, nowMs: number): void {
    if (!isNewConnection(record, segment) || !this.handshakes.mayOpen(view, segment)) {
      this.#registry.timeWaits.arrive(record, segment, nowMs);
      return;
    }
    this.#registry.endTimeWait(record);
    this.handshakes.open(view, segment, bytes, nowMs, leastIssAfter(record));
  }

  #acknowledgeNow(flow: TcpFlow): void {
    if (isFinPending(flow.state) && flow.isFinReceived) return;
    flow.ackOwed = AckOwed.Now;
    this.#registry.requestOutput(flow);
  }
}
