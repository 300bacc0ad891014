/** One stack and nothing else: the test writes each segment, and reads what comes back. Both families, virtual time. */
import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { addressWords } from '../../../src/netstack/address.js';
import { Netstack } from '../../../src/netstack/netstack.js';
import { FlowEvent } from '../../../src/netstack/tcp/flow-event.js';
import { TcpListener } from '../../../src/netstack/tcp/listener.js';
import type { TcpFlow } from '../../../src/netstack/tcp/tcp-flow.js';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;
const PSH = 8;

export type Family = 'IPv4' | 'IPv6';

export interface Segment {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly data: Uint8Array;
  readonly window?: number;
  /** TSval; without it the segment has no option. */
  readonly timestamp?: number | undefined;
}

/** A segment that came back: flags without PSH. */
export interface Answer {
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly window: number;
  readonly dataBytes: number;
}

export const PEER_PORT = 5_000;
export const STACK_PORT = 80;
export const START_MS = 1_000;
/** Initial sequence numbers of both sides, so near to 2^32 that every window crosses it. */
export const PEER_ISS = -50 | 0;
export const STACK_ISS = -4 | 0;

const ADDRESSES = {
  IPv4: { stack: Uint8Array.of(10, 0, 0, 2), peer: Uint8Array.of(10, 0, 0, 1) },
  IPv6: {
    stack: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
    peer: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  },
} as const;

// One batch for all stacks of a test: its bytes are good until the next call only.
const batch = new PacketBatch(64, 256 * 1024);

export class LoneStack {
  readonly family: Family;
  readonly stack: Netstack;
  readonly local: Int32Array;
  readonly remote: Int32Array;
  nowMs = START_MS;
  flow: TcpFlow | undefined;
  /** The right edge of the greatest window that left. */
  edge: number | undefined;
  #answers: Answer[] = [];

  constructor(family: Family) {
    this.family = family;
    const { stack, peer } = ADDRESSES[family];
    this.local = addressWords(stack);
    this.remote = addressWords(peer);
    // The initial sequence number is this hash and 250 per millisecond.
    const environment = {
      random: (out: Uint8Array) => out.fill(7),
      keyedHash: () => (STACK_ISS - 250 * START_MS) | 0,
    };
    this.stack = new Netstack({ environment, addresses: [stack], mtu: 1_420 });
  }

  get tcp(): Netstack['tcp'] {
    return this.stack.tcp;
  }

  /** The peer opens a connection, and the program takes it. @returns The peer's next sequence number and ACK number. */
  open(iss = PEER_ISS): { seq: number; ack: number } {
    const data = new Uint8Array(0);
    this.tcp.listen(undefined, STACK_PORT);
    this.send({ flags: SYN, seq: iss, ack: 0, data });
    const at = { seq: (iss + 1) | 0, ack: (this.answers()[0]!.seq + 1) | 0 };
    this.send({ flags: ACK, ...at, data });
    return at;
  }

  send(segment: Segment): void {
    const packet = buildPacket(this.family, segment);
    batch.clear();
    const row = batch.appendRow(packet.length);
    batch.bytes.set(packet, batch.offset[row]);
    this.stack.write(batch, this.nowMs);
    this.pump();
  }

  /** Lets time pass, and does what falls due in it. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let dueMs = this.stack.nextDeadline(); dueMs <= endMs; dueMs = this.stack.nextDeadline()) {
      this.nowMs = Math.max(this.nowMs, Math.ceil(dueMs));
      this.stack.runDue(this.nowMs);
      this.pump();
    }
    this.nowMs = endMs;
  }

  /** Takes the segments that came back since the last call. */
  answers(): Answer[] {
    return this.#answers.splice(0);
  }

  pump(): void {
    for (let source = this.tcp.takeEvent(); source !== undefined; source = this.tcp.takeEvent()) {
      if (source instanceof TcpListener) this.flow = source.accept() ?? this.flow;
      else source.events &= FlowEvent.Closed;
    }
    while (this.stack.read(batch, this.nowMs) > 0)
      for (let row = 0; row < batch.count; row++) this.#note(batch.offset[row]!, batch.length[row]!);
  }

  read(): Uint8Array {
    const into = new Uint8Array(200_000);
    const bytes = this.flow === undefined ? 0 : this.tcp.read(this.flow, into, 0, into.length, this.nowMs);
    this.pump();
    return into.subarray(0, bytes);
  }

  #note(at: number, length: number): void {
    const headerBytes = this.family === 'IPv4' ? 20 : 40;
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset + at + headerBytes, length - headerBytes);
    const flags = view.getUint8(13) & ~PSH;
    const ack = view.getInt32(8);
    const window = view.getUint16(14);
    const dataBytes = view.byteLength - (view.getUint8(12) >> 4) * 4;
    if ((flags & ACK) !== 0 && (flags & RST) === 0) {
      const edge = (ack + window) | 0;
      if (this.edge === undefined || ((edge - this.edge) | 0) > 0) this.edge = edge;
    }
    this.#answers.push({ flags, seq: view.getInt32(4), ack, window, dataBytes });
  }
}

function buildPacket(family: Family, { flags, seq, ack, data, window = 65_535, timestamp }: Segment): Uint8Array {
  const headerBytes = family === 'IPv4' ? 20 : 40;
  const tcpBytes = timestamp === undefined ? 20 : 32;
  const packet = new Uint8Array(headerBytes + tcpBytes + data.length);
  const { stack, peer } = ADDRESSES[family];
  const view = new DataView(packet.buffer);
  if (family === 'IPv4') {
    packet.set([0x45, 0, packet.length >> 8, packet.length & 255, 0, 0, 0, 0, 64, 6]);
    packet.set(peer, 12);
    packet.set(stack, 16);
  } else {
    packet.set([0x60, 0, 0, 0, (tcpBytes + data.length) >> 8, (tcpBytes + data.length) & 255, 6, 64]);
    packet.set(peer, 8);
    packet.set(stack, 24);
  }
  view.setUint16(headerBytes, PEER_PORT);
  view.setUint16(headerBytes + 2, STACK_PORT);
  view.setInt32(headerBytes + 4, seq);
  view.setInt32(headerBytes + 8, ack);
  packet[headerBytes + 12] = (tcpBytes / 4) << 4;
  packet[headerBytes + 13] = flags;
  view.setUint16(headerBytes + 14, window);
  if (timestamp !== undefined) {
    packet.set([1, 1, 8, 10], headerBytes + 20);
    view.setInt32(headerBytes + 24, timestamp);
  }
  packet.set(data, headerBytes + tcpBytes);
  return packet;
}
