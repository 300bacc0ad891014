/** A plain model of super-packets, against which the addon's C is tested. */
import {
  checksumAt,
  Flag,
  foldSum,
  load16,
  load32,
  onesSum,
  pseudoSum,
  store16,
  store32,
  TCP,
  transportAt,
  UDP,
} from './inner-packet.js';

/** The 10-byte header in front of each packet of a TUN. Source: virtio specification 1.2, §5.1.6. */
export interface VirtioHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly headerBytes: number;
  readonly segmentBytes: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

export const VIRTIO_HEADER_BYTES = 10;
export const NEEDS_CHECKSUM = 1;
export const Gso = { None: 0, Tcp4: 1, Tcp6: 4, Udp: 5, Ecn: 0x80 } as const;

export const PLAIN: VirtioHeader = {
  flags: 0,
  gsoType: Gso.None,
  headerBytes: 0,
  segmentBytes: 0,
  checksumStart: 0,
  checksumOffset: 0,
};

export function parseVirtioHeader(bytes: Uint8Array): VirtioHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const field = (at: number): number => view.getUint16(at, true);
  return {
    flags: bytes[0]!,
    gsoType: bytes[1]!,
    headerBytes: field(2),
    segmentBytes: field(4),
    checksumStart: field(6),
    checksumOffset: field(8),
  };
}

export function withVirtioHeader(header: VirtioHeader, packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(VIRTIO_HEADER_BYTES + packet.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = header.flags;
  bytes[1] = header.gsoType;
  view.setUint16(2, header.headerBytes, true);
  view.setUint16(4, header.segmentBytes, true);
  view.setUint16(6, header.checksumStart, true);
  view.setUint16(8, header.checksumOffset, true);
  bytes.set(packet, VIRTIO_HEADER_BYTES);
  return bytes;
}

/** Returns the header that requests cutting a whole packet; its checksum field is turned into the pseudo-header's sum. */
export function toSuperPacket(packet: Uint8Array, protocol: number, segmentBytes: number): VirtioHeader {
  const start = transportAt(packet);
  const transportBytes = packet.length - start;
  store16(packet, start + checksumAt(protocol), foldSum(pseudoSum(packet, protocol, transportBytes)));
  const tcpType = packet[0]! >> 4 === 4 ? Gso.Tcp4 : Gso.Tcp6;
  return {
    flags: NEEDS_CHECKSUM,
    gsoType: protocol === TCP ? tcpType : Gso.Udp,
    headerBytes: start + transportHeaderBytes(packet, start, protocol),
    segmentBytes,
    checksumStart: start,
    checksumOffset: checksumAt(protocol),
  };
}

/** The packets that a super-packet stands for, as a network card with TSO and USO would send them. */
export function cut(header: VirtioHeader, packet: Uint8Array): Uint8Array[] {
  if ((header.gsoType & ~Gso.Ecn) === Gso.None) return [packet];
  const protocol = header.gsoType === Gso.Udp ? UDP : TCP;
  const start = header.checksumStart;
  const headerBytes = start + transportHeaderBytes(packet, start, protocol);
  // The sender's pseudo-header sum is kept even if it is wrong, here without the length.
  const partialSum = load16(packet, start + checksumAt(protocol)) + (~(packet.length - start) & 0xffff);
  const pieces: Uint8Array[] = [];
  for (let at = headerBytes; at < packet.length; at += header.segmentBytes) {
    const payload = packet.subarray(at, at + header.segmentBytes);
    const piece = new Uint8Array(headerBytes + payload.length);
    piece.set(packet.subarray(0, headerBytes));
    piece.set(payload, headerBytes);
    pieces.push(piece);
    fixIpHeader(piece, pieces.length - 1);
    fixTransportHeader(piece, start, protocol, at - headerBytes, at + header.segmentBytes >= packet.length, partialSum);
  }
  return pieces;
}

function transportHeaderBytes(packet: Uint8Array, start: number, protocol: number): number {
  return protocol === TCP ? (packet[start + 12]! >> 4) * 4 : 8;
}

function fixIpHeader(piece: Uint8Array, index: number): void {
  if (piece[0]! >> 4 === 6) {
    store16(piece, 4, piece.length - 40);
    return;
  }
  store16(piece, 2, piece.length);
  store16(piece, 4, (load16(piece, 4) + index) & 0xffff);
  store16(piece, 10, 0);
  store16(piece, 10, ~foldSum(onesSum(piece.subarray(0, (piece[0]! & 15) * 4))) & 0xffff);
}

function fixTransportHeader(
  piece: Uint8Array,
  start: number,
  protocol: number,
  payloadAt: number,
  isLast: boolean,
  partialSum: number,
): void {
  if (protocol === TCP) {
    store32(piece, start + 4, (load32(piece, start + 4) + payloadAt) % 2 ** 32);
    if (!isLast) piece[start + 13]! &= ~(Flag.Fin | Flag.Psh);
    if (payloadAt > 0) piece[start + 13]! &= ~Flag.Cwr;
  } else store16(piece, start + 4, piece.length - start);

  const field = start + checksumAt(protocol);
  store16(piece, field, 0);
  const sum = onesSum(piece.subarray(start)) + partialSum + piece.length - start;
  const checksum = ~foldSum(sum) & 0xffff;
  store16(piece, field, checksum === 0 ? 0xffff : checksum);
}
