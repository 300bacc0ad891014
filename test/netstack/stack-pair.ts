/** Two stacks and a link between them, on virtual time. */
import { createHash } from 'node:crypto';
import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { addressWords } from '../../src/netstack/address.js';
import { Netstack } from '../../src/netstack/netstack.js';
import { FlowEvent } from '../../src/netstack/tcp/flow-event.js';
import { TcpListener } from '../../src/netstack/tcp/listener.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import { EventQueue, type ScheduledEvent } from '../../src/sim/event-queue.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { countSilentAnswers } from './silence-guard.js';

export interface LinkConditions {
  readonly delayMs?: number;
  /** Uniform extra delay, which reorders. */
  readonly jitterMs?: number;
  readonly lossRate?: number;
  readonly duplicateRate?: number;
  readonly corruptRate?: number;
  /** Bits per second; packets wait in a queue of `queueBytes`. */
  readonly rateBits?: number;
  readonly queueBytes?: number;
  /** Decides about each packet by itself. @returns Whether it is delivered. */
  readonly filter?: (packet: Uint8Array, number: number) => boolean;
}

export interface NodeOptions {
  readonly mtu?: number;
  readonly verifies?: boolean;
  readonly acceptsAny?: boolean;
  readonly wantsEcn?: boolean;
}

const BATCH_ROWS = 256;
const BATCH_BYTES = 1024 * 1024;

export class StackNode {
  readonly stack: Netstack;
  readonly address: Int32Array;
  /** Every packet that left, in order. */
  sent: Uint8Array[] = [];
  isRecording = false;
  packets = 0;
  conditions: LinkConditions = {};
  peer!: StackNode;
  onEvent: (flow: TcpFlow) => void = () => {};
  onAccept: (flow: TcpFlow) => void = () => {};
  readonly #events: EventQueue;
  readonly #random: SeededRandom;
  readonly #batch = new PacketBatch(BATCH_ROWS, BATCH_BYTES);
  #timer: ScheduledEvent | undefined;
  #busyUntilMs = 0;
  #isPumping = false;
  /** The count of the packet that is being delivered: see `countSilentAnswers`. */
  #silentAnswers = 0;

  constructor(events: EventQueue, random: SeededRandom, address: Uint8Array, options: NodeOptions = {}) {
    this.#events = events;
    this.#random = random;
    this.address = addressWords(address);
    const secret = random.bytes(16);
    this.stack = new Netstack({
      environment: {
        random: (out) => random.fill(out),
        keyedHash: (data) => createHash('sha256').update(secret).update(data).digest().readInt32LE(0),
      },
      addresses: [address],
      mtu: options.mtu ?? 1420,
      verifiesChecksums: options.verifies ?? false,
      acceptsAny: options.acceptsAny ?? false,
      wantsEcn: options.wantsEcn ?? false,
    });
  }

  get nowMs(): number {
    return this.#events.nowMs;
  }

  connect(port: number): TcpFlow {
    const flow = this.stack.tcp.connect(this.address, this.peer.address, port, this.nowMs);
    if (flow === undefined) throw new Error('no port is free');
    this.pump();
    return flow;
  }

  /** Hands a packet to the stack. */
  deliver(packet: Uint8Array, silentAnswers = 0): void {
    const batch = this.#batch;
    batch.clear();
    const row = batch.appendRow(packet.length);
    batch.bytes.set(packet, batch.offset[row]);
    this.stack.write(batch, this.nowMs);
    this.#silentAnswers = silentAnswers;
    this.pump();
    this.#silentAnswers = 0;
  }

  /** Drains events and output until nothing is left, and arms the timer. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let rounds = 0; ; rounds++) {
      if (rounds > 10_000) throw new Error('the stack does not come to rest');
      this.#drainEvents();
      if (this.stack.read(this.#batch, this.nowMs) === 0) break;
      for (let row = 0; row < this.#batch.count; row++) {
        const at = this.#batch.offset[row]!;
        this.#send(this.#batch.bytes.slice(at, at + this.#batch.length[row]!));
      }
    }
    this.#isPumping = false;
    this.#arm();
  }

  #drainEvents(): void {
    for (let source = this.stack.tcp.takeEvent(); source !== undefined; source = this.stack.tcp.takeEvent()) {
      if (source instanceof TcpListener) {
        for (let flow = source.accept(); flow !== undefined; flow = source.accept()) this.onAccept(flow);
      } else this.onEvent(source);
    }
  }

  #arm(): void {
    const deadline = Math.ceil(this.stack.nextDeadline());
    if (this.#timer !== undefined) this.#timer.isCancelled = true;
    this.#timer = undefined;
    if (deadline === Infinity) return;
    this.#timer = this.#events.schedule(deadline, () => {
      this.#timer = undefined;
      this.stack.runDue(this.nowMs);
      this.pump();
    });
  }

  #send(packet: Uint8Array): void {
    this.packets++;
    const silentAnswers = countSilentAnswers(packet, this.#silentAnswers);
    if (this.isRecording) this.sent.push(packet);
    const c = this.conditions;
    if (c.filter !== undefined && !c.filter(packet, this.packets)) return;
    if (this.#random.chance(c.lossRate ?? 0)) return;
    let at = this.nowMs;
    if (c.rateBits !== undefined) {
      const backlogBytes = ((this.#busyUntilMs - at) / 1000) * (c.rateBits / 8);
      if (backlogBytes > (c.queueBytes ?? Infinity)) return;
      this.#busyUntilMs = Math.max(this.#busyUntilMs, at) + (packet.length * 8_000) / c.rateBits;
      at = this.#busyUntilMs;
    }
    at += c.delayMs ?? 0;
    if (c.jitterMs !== undefined) at += this.#random.integer(c.jitterMs + 1);
    if (this.#random.chance(c.corruptRate ?? 0))
      packet[this.#random.integer(packet.length)]! ^= 1 << this.#random.integer(8);
    const copies = this.#random.chance(c.duplicateRate ?? 0) ? 2 : 1;
    for (let i = 0; i < copies; i++)
      this.#events.schedule(Math.ceil(at), () => this.peer.deliver(packet, silentAnswers));
  }
}

export class StackPair {
  readonly events = new EventQueue(1_000);
  readonly random: SeededRandom;
  readonly a: StackNode;
  readonly b: StackNode;

  constructor(seed: number, conditions: LinkConditions = {}, options: NodeOptions & { isIpv6?: boolean } = {}) {
    this.random = new SeededRandom(seed);
    const address = (last: number): Uint8Array =>
      options.isIpv6 === true
        ? Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last)
        : Uint8Array.of(10, 0, 0, last);
    this.a = new StackNode(this.events, this.random.fork(), address(1), options);
    this.b = new StackNode(this.events, this.random.fork(), address(2), options);
    this.a.peer = this.b;
    this.b.peer = this.a;
    this.a.conditions = conditions;
    this.b.conditions = conditions;
  }

  advance(ms: number): void {
    this.events.runUntil(this.events.nowMs + ms);
  }

  advanceUntil(isDone: () => boolean, limitMs: number): boolean {
    const end = this.events.nowMs + limitMs;
    while (!isDone()) {
      if (this.events.nextEventMs > end) return false;
      this.events.runNext();
    }
    return true;
  }
}

/** Writes all of `data` to a flow and closes it; reads all that comes. */
export class Transfer {
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  isFinished = false;
  closedBy: string | undefined;
  #sentAt = 0;

  readonly node: StackNode;
  readonly flow: TcpFlow;
  readonly data: Uint8Array;

  constructor(node: StackNode, flow: TcpFlow, data: Uint8Array) {
    this.node = node;
    this.flow = flow;
    this.data = data;
    transfers.set(flow, this);
    node.onEvent = (of) => transfers.get(of)?.take();
  }

  take(): void {
    const { flow, node } = this;
    const { tcp } = node.stack;
    const events = flow.events;
    flow.events = 0;
    const buffer = new Uint8Array(65_536);
    for (
      let n = tcp.read(flow, buffer, 0, buffer.length, node.nowMs);
      n > 0;
      n = tcp.read(flow, buffer, 0, buffer.length, node.nowMs)
    ) {
      this.received.push(buffer.slice(0, n));
      this.receivedBytes += n;
    }
    if ((events & FlowEvent.Finished) !== 0) this.isFinished = true;
    if ((events & FlowEvent.Closed) !== 0) this.closedBy = flow.closedBy;
    this.write();
  }

  write(): void {
    const { flow, node } = this;
    if (flow.isFinQueued || flow.state < 3) return;
    this.#sentAt += node.stack.tcp.write(flow, this.data, this.#sentAt, this.data.length - this.#sentAt);
    if (this.#sentAt === this.data.length) node.stack.tcp.shutdown(flow);
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.received);
  }
}

const transfers = new WeakMap<TcpFlow, Transfer>();
