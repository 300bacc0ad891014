/** One stack on virtual time, and packets written and read by hand: whatever addresses, protocols and batches a test wants. */
import { createHash } from 'node:crypto';

import { PacketBatch } from '../../../src/core/packets/packet-batch.js';
import { Netstack } from '../../../src/netstack/netstack.js';
import { SeededRandom } from '../../../src/sim/seeded-random.js';

export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export const ICMPV6 = 58;

export const STACK4 = [10, 0, 0, 2] as const;
export const PEER4 = [10, 0, 0, 1] as const;
export const STACK6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2] as const;
export const PEER6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] as const;

type Bytes = readonly number[] | Uint8Array;

/** The value of every byte of a batch outside of its packets. */
export const FOREIGN_BYTE = 0xaa;

export interface RawStackOptions {
  readonly addresses?: readonly Bytes[];
  readonly acceptsAny?: boolean;
  readonly mtu?: number;
  readonly seed?: number;
  readonly budgetBytes?: number;
  /** Rows of a batch that the stack fills. */
  readonly outputRows?: number;
}

export class RawStack {
  readonly stack: Netstack;
  nowMs = 1_000;
  readonly #input = new PacketBatch(512, 1024 * 1024);
  readonly #output: PacketBatch;

  constructor({
    addresses = [STACK4, STACK6],
    acceptsAny = false,
    mtu = 1_420,
    seed = 1,
    budgetBytes,
    outputRows = 512,
  }: RawStackOptions = {}) {
    const random = new SeededRandom(seed);
    const secret = random.bytes(16);
    this.#output = new PacketBatch(outputRows, Math.max(outputRows * 2_048, 70_000));
    this.stack = new Netstack({
      environment: {
        random: (out) => random.fill(out),
        keyedHash: (data) => createHash('sha256').update(secret).update(data).digest().readInt32LE(0),
      },
      addresses: addresses.map((address) => Uint8Array.from(address)),
      mtu,
      acceptsAny,
      ...(budgetBytes === undefined ? {} : { budgetBytes }),
    });
  }

  /** Hands packets to the stack as one batch, with foreign bytes all around them. */
  deliver(...packets: readonly Uint8Array[]): void {
    const batch = this.#input;
    batch.clear();
    batch.bytes.fill(
      FOREIGN_BYTE,
      0,
      packets.reduce((sum, packet) => sum + packet.length + 128, 4_096),
    );
    for (const packet of packets) {
      const row = batch.appendRow(packet.length);
      if (row < 0) throw new Error('too many packets for one batch');
      batch.bytes.set(packet, batch.offset[row]);
    }
    this.stack.write(batch, this.nowMs);
  }

  /** Takes one batch of what the stack wants to send. */
  takeBatch(): Packet[] {
    this.stack.read(this.#output, this.nowMs);
    const { bytes, offset, length, count } = this.#output;
    return Array.from({ length: count }, (_, row) => readPacket(bytes.slice(offset[row], offset[row]! + length[row]!)));
  }

  /** Takes all that the stack wants to send now. */
  take(): Packet[] {
    const packets: Packet[] = [];
    for (let batch = this.takeBatch(); batch.length > 0; batch = this.takeBatch()) packets.push(...batch);
    return packets;
  }

  /** Lets time pass; what leaves meanwhile is returned. */
  advance(ms: number): Packet[] {
    const packets: Packet[] = [];
    const end = this.nowMs + ms;
    for (let next = this.stack.nextDeadline(); next <= end; next = this.stack.nextDeadline()) {
      this.nowMs = Math.max(Math.ceil(next), this.nowMs);
      this.stack.runDue(this.nowMs);
      packets.push(...this.take());
    }
    this.nowMs = end;
    return packets;
  }
}

export interface TcpFields {
  readonly sport?: number;
  readonly dport?: number;
  readonly flags: number;
  readonly seq: number;
  readonly ack?: number;
  readonly window?: number;
  readonly options?: readonly number[];
  readonly data?: Bytes;
}

export interface Ends {
  readonly source?: Bytes;
  readonly destination?: Bytes;
}

/** A packet that left, taken apart. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** Transport header and data. */
  readonly payload: Uint8Array;
}

export function readPacket(bytes: Uint8Array): Packet {
  const isIpv4 = bytes[0]! >> 4 === 4;
  const [from, size] = isIpv4 ? [12, 4] : [8, 16];
  return {
    bytes,
    source: bytes.subarray(from, from + size).join('.'),
    destination: bytes.subarray(from + size, from + 2 * size).join('.'),
    protocol: bytes[isIpv4 ? 9 : 6]!,
    payload: bytes.subarray(isIpv4 ? 20 : 40),
  };
}

/** The fields of a TCP segment. */
export function readTcp({ payload }: Packet): Required<TcpFields> & { data: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const headerBytes = (payload[12]! >> 4) * 4;
  return {
    sport: view.getUint16(0),
    dport: view.getUint16(2),
    seq: view.getInt32(4),
    ack: view.getInt32(8),
    flags: payload[13]!,
    window: view.getUint16(14),
    options: [...payload.subarray(20, headerBytes)],
    data: payload.subarray(headerBytes),
  };
}

export function ipPacket(protocol: number, payload: Uint8Array, { source, destination }: Ends = {}): Uint8Array {
  const from = source ?? (destination?.length === 16 ? PEER6 : PEER4);
  const to = destination ?? (from.length === 16 ? STACK6 : STACK4);
  const isIpv4 = from.length === 4;
  const headerBytes = isIpv4 ? 20 : 40;
  const packet = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = isIpv4 ? 0x45 : 0x60;
  if (isIpv4) view.setUint16(2, packet.length);
  else view.setUint16(4, payload.length);
  packet[isIpv4 ? 8 : 7] = 64;
  packet[isIpv4 ? 9 : 6] = protocol;
  packet.set(from, isIpv4 ? 12 : 8);
  packet.set(to, isIpv4 ? 16 : 24);
  packet.set(payload, headerBytes);
  return packet;
}

export function tcpPacket(fields: TcpFields, ends: Ends = {}): Uint8Array {
  const options = [...(fields.options ?? [])];
  while (options.length % 4 !== 0) options.push(1);
  const data = fields.data ?? [];
  const payload = new Uint8Array(20 + options.length + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, fields.sport ?? 5_000);
  view.setUint16(2, fields.dport ?? 80);
  view.setInt32(4, fields.seq | 0);
  view.setInt32(8, (fields.ack ?? 0) | 0);
  payload[12] = ((20 + options.length) / 4) << 4;
  payload[13] = fields.flags;
  view.setUint16(14, fields.window ?? 65_535);
  payload.set(options, 20);
  payload.set(data, 20 + options.length);
  return ipPacket(TCP, payload, ends);
}

export function udpPacket(sport: number, dport: number, data: Bytes, ends: Ends = {}): Uint8Array {
  const payload = new Uint8Array(8 + data.length);
  const view = new DataView(payload.buffer);
  view.setUint16(0, sport);
  view.setUint16(2, dport);
  view.setUint16(4, payload.length);
  view.setUint16(6, 0xffff); // the stack trusts it: the tunnel's tag covers the packet
  payload.set(data, 8);
  return ipPacket(UDP, payload, ends);
}

/** An echo request of the family of `ends`. */
export function echoRequest(identifier: number, sequence: number, data: Bytes, ends: Ends = {}): Uint8Array {
  const isIpv6 = (ends.source ?? ends.destination)?.length === 16;
  const payload = new Uint8Array(8 + data.length);
  const view = new DataView(payload.buffer);
  payload[0] = isIpv6 ? 128 : 8;
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  payload.set(data, 8);
  return ipPacket(isIpv6 ? ICMPV6 : ICMP, payload, ends);
}
