import { HEADROOM_BYTES, type PacketBatch } from '../../src/core/packets/packet-batch.js';

const IP_BYTES = 20;
const TCP_BYTES = 20;
const TCP = 6;
const ACK = 0x10;

export interface Flow {
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly packetBytes: number;
  /** Default: 40,000. */
  readonly sourcePort?: number;
}

/**
 * Fills the batch with the next packets of a TCP flow, checksums and all.
 *
 * @returns The sequence number after the last byte.
 */
export function fillWithTcp(batch: PacketBatch, flow: Flow, packets: number, sequence: number): number {
  batch.clear();
  let next = sequence;
  for (let i = 0; i < packets; i++) {
    const row = batch.appendRow(flow.packetBytes);
    if (row < 0) throw new RangeError('the batch is too small');
    const at = batch.offset[row]!;
    writePacket(new DataView(batch.bytes.buffer, batch.bytes.byteOffset + at, flow.packetBytes), flow, next);
    batch.bytes.fill(0, at - HEADROOM_BYTES, at);
    next = (next + flow.packetBytes - IP_BYTES - TCP_BYTES) >>> 0;
  }
  return next;
}

function writePacket(packet: DataView, flow: Flow, sequence: number): void {
  const { source, destination, packetBytes, sourcePort = 40_000 } = flow;
  packet.setUint16(0, 0x4500);
  packet.setUint16(2, packetBytes);
  packet.setUint32(4, 0x0000_4000); // don't fragment
  packet.setUint8(8, 64);
  packet.setUint8(9, TCP);
  packet.setUint16(10, 0);
  for (let i = 0; i < 4; i++) {
    packet.setUint8(12 + i, source[i]!);
    packet.setUint8(16 + i, destination[i]!);
  }
  packet.setUint16(10, ~fold(sum(packet, 0, IP_BYTES)));

  packet.setUint16(20, sourcePort);
  packet.setUint16(22, 40_001);
  packet.setUint32(24, sequence);
  packet.setUint32(28, 1);
  packet.setUint16(32, ((TCP_BYTES / 4) << 12) | ACK);
  packet.setUint16(34, 65_535);
  packet.setUint32(36, 0);
  for (let at = IP_BYTES + TCP_BYTES; at < packetBytes; at++) packet.setUint8(at, at);
  const pseudo = sum(packet, 12, 20) + TCP + packetBytes - IP_BYTES;
  packet.setUint16(36, ~fold(pseudo + sum(packet, IP_BYTES, packetBytes)));
}

function sum(packet: DataView, from: number, to: number): number {
  let total = 0;
  for (let at = from; at + 1 < to; at += 2) total += packet.getUint16(at);
  return (to - from) % 2 === 0 ? total : total + (packet.getUint8(to - 1) << 8);
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}
