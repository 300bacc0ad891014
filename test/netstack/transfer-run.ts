/** Two programs that write to each other over a pair of stacks, each as fast or as slowly as it is told. */
import assert from 'node:assert/strict';

import { FlowEvent } from '../../src/netstack/tcp/flow-event.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import { type LinkConditions, type StackNode, StackPair } from './stack-pair.js';

const HOUR_MS = 3_600_000;
const PORT = 80;
/** Longer than TIME-WAIT. */
const FORGOTTEN_MS = 70_000;

/** How a program uses its connection. */
export interface Habits {
  /** Bytes that it writes before it closes. */
  readonly bytes: number;
  /** Bounds of the stack's buffers; the default is the stack's. */
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
  /** A slow reader: so many bytes each time, with a pause in between. */
  readonly readBytes?: number;
  readonly readEveryMs?: number;
  /** The most that it writes at once. */
  readonly writeBytes?: number;
  readonly isNoDelay?: boolean;
}

export interface RunOptions {
  readonly isIpv6?: boolean;
  readonly mtu?: number;
  readonly verifies?: boolean;
}

export interface RunResult {
  readonly ms: number;
  readonly packets: number;
}

/** One side of a connection. */
class Program {
  readonly data: Uint8Array;
  readonly received: Uint8Array;
  receivedBytes = 0;
  #isClosed = false;
  readonly #node: StackNode;
  readonly #pair: StackPair;
  readonly #flow: TcpFlow;
  readonly #habits: Habits;
  #writtenBytes = 0;
  #mayReadAtMs = 0;

  constructor(pair: StackPair, node: StackNode, flow: TcpFlow, data: Uint8Array, expected: number, habits: Habits) {
    this.#pair = pair;
    this.#node = node;
    this.#flow = flow;
    this.#habits = habits;
    this.data = data;
    this.received = new Uint8Array(expected + 1);
    if (habits.sendBuffer !== undefined) flow.maxSendBytes = habits.sendBuffer;
    if (habits.receiveBuffer !== undefined) flow.window.bufferBytes = habits.receiveBuffer;
    flow.isNoDelay = habits.isNoDelay ?? false;
    node.onEvent = () => this.take();
  }

  /** The connection is over, and the program has read all of it. */
  get isDone(): boolean {
    return this.#isClosed && this.receivedBytes >= this.received.length - 1;
  }

  take(): void {
    const events = this.#flow.events;
    this.#flow.events = 0;
    if ((events & FlowEvent.Closed) !== 0) this.#isClosed = true;
    this.#read();
    this.#write();
  }

  #read(): void {
    const { readBytes = Infinity, readEveryMs = 0 } = this.#habits;
    const node = this.#node;
    if (node.nowMs < this.#mayReadAtMs) return;
    for (;;) {
      const room = Math.min(readBytes, this.received.length - this.receivedBytes);
      const count = node.stack.tcp.read(this.#flow, this.received, this.receivedBytes, room, node.nowMs);
      this.receivedBytes += count;
      if (count === 0) return;
      if (readEveryMs === 0) continue;
      this.#mayReadAtMs = node.nowMs + readEveryMs;
      this.#pair.events.schedule(this.#mayReadAtMs, () => {
        this.take();
        node.pump();
      });
      return;
    }
  }

  #write(): void {
    const { tcp } = this.#node.stack;
    if (this.#flow.isFinQueued || this.#flow.state < 3) return;
    for (let taken = -1; taken !== 0; this.#writtenBytes += taken) {
      const left = this.data.length - this.#writtenBytes;
      taken = tcp.write(this.#flow, this.data, this.#writtenBytes, Math.min(left, this.#habits.writeBytes ?? left));
    }
    if (this.#writtenBytes === this.data.length) tcp.shutdown(this.#flow);
  }

  check(expected: Uint8Array, name: string): void {
    assert.equal(this.receivedBytes, expected.length, `${name}: bytes`);
    assert.ok(
      Buffer.compare(this.received.subarray(0, expected.length), expected) === 0,
      `${name}: not the same bytes`,
    );
  }
}

/** Both sides write at once and close. Every byte has to arrive, and nothing may be left behind in either stack. */
export function run(
  seed: number,
  conditions: LinkConditions,
  client: Habits,
  server: Habits,
  options: RunOptions = {},
): RunResult {
  const pair = new StackPair(seed, conditions, options);
  const up = pair.random.bytes(client.bytes);
  const down = pair.random.bytes(server.bytes);
  let accepted: Program | undefined;
  pair.b.stack.tcp.listen(undefined, PORT);
  pair.b.onAccept = (flow) => {
    accepted = new Program(pair, pair.b, flow, down, up.length, server);
    accepted.take();
  };
  const connected = new Program(pair, pair.a, pair.a.connect(PORT), up, down.length, client);
  const startMs = pair.events.nowMs;

  const isOver = (): boolean => connected.isDone && accepted?.isDone === true;
  assert.ok(pair.advanceUntil(isOver, HOUR_MS), `seed ${seed}: the connection does not end`);
  const ms = pair.events.nowMs - startMs;
  const packets = pair.a.packets + pair.b.packets;
  pair.advance(FORGOTTEN_MS);
  accepted!.check(up, `seed ${seed}, up`);
  connected.check(down, `seed ${seed}, down`);
  assertEmpty(pair, `seed ${seed}`);
  return { ms, packets };
}

/** Tests that neither stack keeps a record, a block, a deadline or a packet. */
export function assertEmpty(pair: StackPair, name: string): void {
  for (const { stack } of [pair.a, pair.b]) {
    assert.equal(stack.tcp.flowCount, 0, `${name}: a record is left`);
    assert.equal(stack.pool.usedBytes, 0, `${name}: memory is left`);
    assert.equal(stack.nextDeadline(), Infinity, `${name}: a deadline is left`);
    assert.equal(stack.hasOutput, false, `${name}: a packet is left`);
  }
}
