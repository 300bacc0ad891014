/** A scripted TCP peer: the test writes every segment by hand, and reads what the stack answers. */
import { FlowEvent } from '../../src/netstack/tcp/flow-event.js';
import type { TcpFlow } from '../../src/netstack/tcp/tcp-flow.js';
import { type NodeOptions, StackPair } from './stack-pair.js';

export const F = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128 } as const;

export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly data?: Uint8Array;
  readonly options?: readonly number[];
  readonly sport?: number;
  readonly dport?: number;
}

export interface Reply {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly data: Uint8Array;
  readonly options: Uint8Array;
  readonly atMs: number;
}

export const PEER_PORT = 5_000;
export const STACK_PORT = 80;
/** Sequence numbers of the peer near the end of the space, so that every test crosses it. */
export const PEER_ISS = 0xffff_ff00 | 0;

const STACK = Uint8Array.of(10, 0, 0, 2);
const PEER = Uint8Array.of(10, 0, 0, 1);

export class RawPeer {
  readonly pair: StackPair;
  readonly events: number[] = [];
  flow: TcpFlow | undefined;
  #seen = 0;
  #times: number[] = [];

  constructor(options: NodeOptions = {}) {
    this.pair = new StackPair(7, {}, options);
    const { b } = this.pair;
    b.isRecording = true;
    // Nothing of the stack's reaches another stack: the test reads it.
    b.conditions = {
      filter: () => {
        this.#times.push(b.nowMs);
        return false;
      },
    };
    b.onEvent = (flow) => {
      this.events.push(flow.events);
      flow.events = 0;
    };
    b.onAccept = (flow) => {
      this.flow = flow;
    };
  }

  get stack() {
    return this.pair.b.stack;
  }

  get nowMs(): number {
    return this.pair.events.nowMs;
  }

  send(segment: Segment): void {
    this.pair.b.deliver(buildSegment(segment));
  }

  /** Replies since the last call. */
  replies(): Reply[] {
    const { sent } = this.pair.b;
    const fresh = sent.slice(this.#seen).map((packet, i) => parseSegment(packet, this.#times[this.#seen + i]!));
    this.#seen = sent.length;
    return fresh;
  }

  reply(): Reply {
    const replies = this.replies();
    if (replies.length !== 1) throw new Error(`${replies.length} replies in place of one`);
    return replies[0]!;
  }

  listen(port = STACK_PORT, backlog?: number): void {
    this.stack.tcp.listen(undefined, port, backlog);
  }

  /** Opens a connection to the stack's listener. Returns its sequence number behind SYN. */
  open(options: readonly number[] = [2, 4, 0x05, 0x64], window = 65_535): { seq: number; ack: number } {
    this.listen();
    this.send({ flags: F.SYN, seq: PEER_ISS, window, options });
    const synAck = this.reply();
    const at = { seq: (PEER_ISS + 1) | 0, ack: (synAck.seq + 1) | 0 };
    this.send({ flags: F.ACK, ...at, window });
    this.replies();
    return at;
  }

  advance(ms: number): void {
    this.pair.advance(ms);
  }

  read(): Uint8Array {
    const into = new Uint8Array(1_000_000);
    const n = this.stack.tcp.read(this.flow!, into, 0, into.length, this.nowMs);
    this.pair.b.pump();
    return into.slice(0, n);
  }

  write(data: Uint8Array): number {
    const taken = this.stack.tcp.write(this.flow!, data, 0, data.length);
    this.pair.b.pump();
    return taken;
  }

  shutdown(): void {
    this.stack.tcp.shutdown(this.flow!);
    this.pair.b.pump();
  }

  has(event: keyof typeof FlowEvent): boolean {
    return this.events.some((bits) => (bits & FlowEvent[event]) !== 0);
  }
}

export function buildSegment(segment: Segment): Uint8Array {
  const options = [...(segment.options ?? [])];
  while (options.length % 4 !== 0) options.push(1);
  const data = segment.data ?? new Uint8Array(0);
  const tcpBytes = 20 + options.length + data.length;
  const packet = new Uint8Array(20 + tcpBytes);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = 6;
  packet.set(PEER, 12);
  packet.set(STACK, 16);
  view.setUint16(20, segment.sport ?? PEER_PORT);
  view.setUint16(22, segment.dport ?? STACK_PORT);
  view.setInt32(24, segment.seq | 0);
  view.setInt32(28, (segment.ack ?? 0) | 0);
  packet[32] = ((20 + options.length) / 4) << 4;
  packet[33] = segment.flags;
  view.setUint16(34, segment.window ?? 65_535);
  packet.set(options, 40);
  packet.set(data, 40 + options.length);
  return packet;
}

export function parseSegment(packet: Uint8Array, atMs = 0): Reply {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const headerBytes = (packet[32]! >> 4) * 4;
  return {
    flags: packet[33]!,
    seq: view.getInt32(24),
    ack: view.getInt32(28),
    window: view.getUint16(34),
    options: packet.slice(40, 20 + headerBytes),
    data: packet.slice(20 + headerBytes),
    atMs,
  };
}
