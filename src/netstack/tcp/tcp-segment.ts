import { readUint16 } from '../../wire/ip-header.js';
import { readUint32 } from '../checksum.js';

export const TCP_HEADER_BYTES = 20;

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;

export const OPTION_END = 0;
export const OPTION_NOP = 1;
export const OPTION_MSS = 2;
export const OPTION_WINDOW_SCALE = 3;
export const OPTION_SACK_PERMITTED = 4;
export const OPTION_SACK = 5;
export const OPTION_TIMESTAMPS = 8;

/** RFC 7323 §2.3: a greater shift is read as 14. */
const MAX_WINDOW_SHIFT = 14;
const MAX_SACK_BLOCKS = 4;

/**
 * One TCP segment that came in, read into fields that every segment uses again.
 *
 * ```text
 *  0             2                 4          8        12       13      14       16         18       20
 *  | source port | destination port | sequence | ack no | offset | flags | window | checksum | urgent | options… | data
 * ```
 *
 * Source: RFC 9293 §3.1, §3.2; RFC 7323 §2.2, §3.2; RFC 2018 §2, §3.
 */
export class TcpSegment {
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  /** Not scaled. */
  window = 0;
  dataAt = 0;
  dataBytes = 0;
  /** How many segments the peer sent: more than 1 if they were joined on arrival. */
  count = 1;

  /** −1: absent. */
  mss = -1;
  /** −1: absent. */
  windowShift = -1;
  isSackPermitted = false;
  hasTimestamps = false;
  timestampValue = 0;
  timestampEcho = 0;
  sackCount = 0;
  /** Left and right edge of each block. */
  readonly sacks = new Int32Array(2 * MAX_SACK_BLOCKS);

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** SEG.LEN: data, and one octet each for SYN and FIN (RFC 9293 §3.4). */
  get sequenceBytes(): number {
    return this.dataBytes + (this.has(SYN) ? 1 : 0) + (this.has(FIN) ? 1 : 0);
  }

  /** The sequence number behind the segment. */
  get end(): number {
    return (this.sequence + this.sequenceBytes) | 0;
  }

  /** @returns `false` if the bytes are no segment. */
  read(bytes: Uint8Array, at: number, length: number): boolean {
    if (length < TCP_HEADER_BYTES) return false;
    const headerBytes = (bytes[at + 12] >> 4) * 4;
    if (headerBytes < TCP_HEADER_BYTES || headerBytes > length) return false;
    this.sourcePort = readUint16(bytes, at);
    this.destinationPort = readUint16(bytes, at + 2);
    this.sequence = readUint32(bytes, at + 4);
    this.acknowledgment = readUint32(bytes, at + 8);
    this.flags = bytes[at + 13];
    this.window = readUint16(bytes, at + 14);
    this.dataAt = at + headerBytes;
    this.dataBytes = length - headerBytes;
    this.#clearOptions();
    if (headerBytes > TCP_HEADER_BYTES) this.#readOptions(bytes, at + TCP_HEADER_BYTES, at + headerBytes);
    return true;
  }

  #clearOptions(): void {
    this.mss = -1;
    this.windowShift = -1;
    this.isSackPermitted = false;
    this.hasTimestamps = false;
    this.sackCount = 0;
  }

  /** RFC 9293 §3.1: an option with an impossible length ends the list; what stood in front of it counts. */
  #readOptions(bytes: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end; ) {
      const kind = bytes[at];
      if (kind === OPTION_END) return;
      if (kind === OPTION_NOP) {
        at++;
        continue;
      }
      if (at + 1 >= end) return;
      const length = bytes[at + 1];
      if (length < 2 || at + length > end) return;
      this.#readOption(bytes, at, kind, length);
      at += length;
    }
  }

  #readOption(bytes: Uint8Array, at: number, kind: number, length: number): void {
    const isSyn = this.has(SYN);
    if (kind === OPTION_MSS && length === 4 && isSyn) this.mss = readUint16(bytes, at + 2);
    else if (kind === OPTION_WINDOW_SCALE && length === 3 && isSyn)
      this.windowShift = Math.min(bytes[at + 2], MAX_WINDOW_SHIFT);
    else if (kind === OPTION_SACK_PERMITTED && length === 2 && isSyn) this.isSackPermitted = true;
    else if (kind === OPTION_TIMESTAMPS && length === 10) {
      this.hasTimestamps = true;
      this.timestampValue = readUint32(bytes, at + 2);
      this.timestampEcho = readUint32(bytes, at + 6);
    } else if (kind === OPTION_SACK && (length - 2) % 8 === 0) this.#readSacks(bytes, at + 2, (length - 2) / 8);
  }

  #readSacks(bytes: Uint8Array, at: number, count: number): void {
    this.sackCount = Math.min(count, MAX_SACK_BLOCKS);
    for (let i = 0; i < 2 * this.sackCount; i++) this.sacks[i] = readUint32(bytes, at + 4 * i);
  }
}
