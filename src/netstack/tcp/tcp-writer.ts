import { writeUint16 } from '../../wire/ip-header.js';
import { addBytes, addPseudoHeader, finishChecksum, writeUint32 } from '../checksum.js';
import { ipHeaderBytes, writeIpHeader } from '../ip/ip-writer.js';
import { PROTOCOL_TCP } from '../ip/protocols.js';
import type { FlowAddress } from './tcp-flow.js';
import {
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
  TCP_HEADER_BYTES,
} from './tcp-segment.js';

/** The header of a segment that leaves. One object is used again for all of them. */
export class SegmentHeader {
  source: Int32Array = NO_ADDRESS;
  destination: Int32Array = NO_ADDRESS;
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  /** The value of the field, not scaled. */
  window = 0;
  /** ECN code point. */
  trafficClass = 0;
  readonly protocol = PROTOCOL_TCP;

  /** Options of a SYN; −1: left out. */
  mss = -1;
  windowShift = -1;
  isSackPermitted = false;
  hasTimestamps = false;
  timestampValue = 0;
  timestampEcho = 0;
  sackCount = 0;
  readonly sacks = new Int32Array(8);

  /** Starts a header for a flow, without options. */
  address({ local, localPort, remote, remotePort }: FlowAddress): void {
    this.#clearOptions();
    this.source = local;
    this.destination = remote;
    this.sourcePort = localPort;
    this.destinationPort = remotePort;
  }

  #clearOptions(): void {
    this.mss = -1;
    this.windowShift = -1;
    this.isSackPermitted = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
  }

  get optionBytes(): number {
    let bytes = this.hasTimestamps ? 12 : 0;
    if (this.mss >= 0) bytes += 4;
    if (this.windowShift >= 0) bytes += 4;
    if (this.isSackPermitted) bytes += this.hasTimestamps ? 0 : 4;
    if (this.sackCount > 0) bytes += 4 + 8 * this.sackCount;
    return bytes;
  }

  /** Bytes of IP and TCP header. */
  get headerBytes(): number {
    return ipHeaderBytes(this.destination) + TCP_HEADER_BYTES + this.optionBytes;
  }
}

/** Writes a segment without data. */
export function writeSegment(bytes: Uint8Array, at: number, header: SegmentHeader): void {
  writeHeaders(bytes, at, header, 0);
  const tcpAt = at + ipHeaderBytes(header.destination);
  const tcpBytes = TCP_HEADER_BYTES + header.optionBytes;
  const pseudo = addPseudoHeader(bytes, at, PROTOCOL_TCP, tcpBytes);
  writeUint16(bytes, tcpAt + 16, finishChecksum(addBytes(pseudo, bytes, tcpAt, tcpBytes)));
}

/** Writes the headers of a segment in front of `dataBytes`. The checksum of TCP is left 0. */
export function writeHeaders(bytes: Uint8Array, at: number, header: SegmentHeader, dataBytes: number): void {
  const tcpBytes = TCP_HEADER_BYTES + header.optionBytes;
  const tcpAt = at + writeIpHeader(bytes, at, header, tcpBytes + dataBytes);
  writeUint16(bytes, tcpAt, header.sourcePort);
  writeUint16(bytes, tcpAt + 2, header.destinationPort);
  writeUint32(bytes, tcpAt + 4, header.sequence);
  writeUint32(bytes, tcpAt + 8, header.acknowledgment);
  bytes[tcpAt + 12] = (tcpBytes >> 2) << 4;
  bytes[tcpAt + 13] = header.flags;
  writeUint16(bytes, tcpAt + 14, header.window);
  writeUint32(bytes, tcpAt + 16, 0); // checksum and urgent pointer
  if (tcpBytes > TCP_HEADER_BYTES) writeOptions(bytes, tcpAt + TCP_HEADER_BYTES, header);
}

/** Every option is padded in front to a multiple of four, the order that Linux writes (RFC 7323 App. A). */
function writeOptions(bytes: Uint8Array, from: number, header: SegmentHeader): void {
  let at = from;
  if (header.mss >= 0) {
    bytes[at] = OPTION_MSS;
    bytes[at + 1] = 4;
    writeUint16(bytes, at + 2, header.mss);
    at += 4;
  }
  if (header.hasTimestamps) {
    bytes[at] = header.isSackPermitted ? OPTION_SACK_PERMITTED : OPTION_NOP;
    bytes[at + 1] = header.isSackPermitted ? 2 : OPTION_NOP;
    bytes[at + 2] = OPTION_TIMESTAMPS;
    bytes[at + 3] = 10;
    writeUint32(bytes, at + 4, header.timestampValue);
    writeUint32(bytes, at + 8, header.timestampEcho);
    at += 12;
  } else if (header.isSackPermitted) {
    bytes[at] = OPTION_NOP;
    bytes[at + 1] = OPTION_NOP;
    bytes[at + 2] = OPTION_SACK_PERMITTED;
    bytes[at + 3] = 2;
    at += 4;
  }
  if (header.windowShift >= 0) {
    bytes[at] = OPTION_NOP;
    bytes[at + 1] = OPTION_WINDOW_SCALE;
    bytes[at + 2] = 3;
    bytes[at + 3] = header.windowShift;
    at += 4;
  }
  if (header.sackCount > 0) writeSacks(bytes, at, header);
}

function writeSacks(bytes: Uint8Array, at: number, { sackCount, sacks }: SegmentHeader): void {
  bytes[at] = OPTION_NOP;
  bytes[at + 1] = OPTION_NOP;
  bytes[at + 2] = OPTION_SACK;
  bytes[at + 3] = 2 + 8 * sackCount;
  for (let i = 0; i < 2 * sackCount; i++) writeUint32(bytes, at + 4 + 4 * i, sacks[i]);
}

const NO_ADDRESS = new Int32Array(4);
