import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, packetBytes, readUint16, writeUint16 } from '../../wire/ip-header.js';
import { addBytes, finishChecksum, readUint32 } from '../checksum.js';
import { PROTOCOL_TCP } from '../ip/protocols.js';
import { ACK, PSH, TCP_HEADER_BYTES } from '../tcp/tcp-segment.js';
import { MAX_HEADER_BYTES } from './segmenter.js';

const MAX_PACKET_BYTES = 65_535;
/** Version and header length of IPv4 without options. */
const PLAIN_IPV4 = 0x45;
/** All of IPv4's fragment word but "don't fragment". */
const FRAGMENT_BITS = 0xbfff;
const NONE = -1;

/** Bits of a header that the segments of a run have in common: all but lengths, identification, numbers, PSH and checksums. */
const IPV4_MASK = headerMask(IPV4_HEADER_BYTES, [2, 3, 4, 5, 10, 11]);
const IPV6_MASK = headerMask(IPV6_HEADER_BYTES, [4, 5]);

/**
 * Joins packets that came in: TCP handles one super segment in place of 46 segments.
 *
 * Neighbouring rows become one packet of at most 65,535 bytes if they are successive segments of one connection whose headers are
 * equal but for lengths, identification, numbers, PSH and checksums, and whose payloads are equally long but the last. Nothing
 * follows PSH. These are the rules of `native/coalesce.c`, which the kernel's GRO has, too.
 *
 * The payloads move behind the first segment, and the rows of the others get length 0. The checksum of TCP is left as it was:
 * checksums can be tested on single packets only.
 */
export class RowMerger {
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Int32Array = new Int32Array(0);
  /** The row that grows. */
  #row = NONE;
  #at = 0;
  #mask = IPV4_MASK;
  #ipBytes = 0;
  #headerBytes = 0;
  /** Payload of its first segment. */
  #segmentBytes = 0;
  #nextSequence = 0;
  #isPush = false;
  /** Nothing follows a short segment, or one with PSH. */
  #isClosed = true;

  /** @param segments Receives how many segments each row holds. Rows without length are left out. */
  merge(batch: PacketBatch, segments: Uint16Array): void {
    this.#adopt(batch.bytes);
    for (let row = 0; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass || batch.length[row] === 0) continue;
      segments[row] = 1;
      if (!this.#isClosed && this.#continues(batch, row)) {
        this.#append(batch, row);
        segments[this.#row]++;
      } else {
        this.#finish(batch, segments);
        this.#start(batch, row);
      }
    }
    this.#finish(batch, segments);
  }

  #adopt(bytes: Uint8Array): void {
    this.#row = NONE;
    this.#isClosed = true;
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }

  #start({ bytes, offset, length }: PacketBatch, row: number): void {
    const at = offset[row];
    const headerBytes = headerBytesOf(bytes, at, length[row]);
    this.#row = row;
    this.#isClosed = true;
    if (headerBytes === 0) return;
    const isIpv4 = bytes[at] === PLAIN_IPV4;
    this.#at = at;
    this.#mask = isIpv4 ? IPV4_MASK : IPV6_MASK;
    this.#ipBytes = isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    this.#headerBytes = headerBytes;
    this.#segmentBytes = length[row] - headerBytes;
    this.#note(bytes, at, this.#segmentBytes);
  }

  /** Takes over from a segment what decides about the next one. */
  #note(bytes: Uint8Array, at: number, payloadBytes: number): void {
    const tcpAt = at + this.#ipBytes;
    this.#nextSequence = (readUint32(bytes, tcpAt + 4) + payloadBytes) | 0;
    this.#isPush = (bytes[tcpAt + 13] & PSH) !== 0;
    this.#isClosed = this.#isPush || payloadBytes < this.#segmentBytes;
  }

  #continues({ bytes, offset, length }: PacketBatch, row: number): boolean {
    const at = offset[row];
    const payloadBytes = length[row] - this.#headerBytes;
    const end = length[this.#row];
    // A payload only ever moves to the front, and headers are compared by words: rows of another layout stay as they are.
    return (
      payloadBytes > 0 &&
      payloadBytes <= this.#segmentBytes &&
      end + payloadBytes <= MAX_PACKET_BYTES &&
      at >= this.#at + end &&
      ((this.#at | at) & 3) === 0 &&
      readUint32(bytes, at + this.#ipBytes + 4) === this.#nextSequence &&
      this.#hasSameHeader(at) &&
      packetBytes(bytes, at) === length[row]
    );
  }

  /** A header that is the same as that of a segment is one of a segment: nothing else has to be tested. */
  #hasSameHeader(at: number): boolean {
    const words = this.#words;
    const mask = this.#mask;
    const first = this.#at >> 2;
    const other = at >> 2;
    const count = this.#headerBytes >> 2;
    for (let i = 0; i < count; i++) if (((words[first + i] ^ words[other + i]) & mask[i]) !== 0) return false;
    return true;
  }

  #append({ bytes, offset, length }: PacketBatch, row: number): void {
    const from = offset[row];
    const payloadBytes = length[row] - this.#headerBytes;
    this.#note(bytes, from, payloadBytes);
    bytes.copyWithin(this.#at + length[this.#row], from + this.#headerBytes, from + length[row]);
    length[this.#row] += payloadBytes;
    length[row] = 0;
  }

  /** Writes the length and PSH of a packet that has grown. */
  #finish({ bytes, length }: PacketBatch, segments: Uint16Array): void {
    const row = this.#row;
    if (row === NONE || segments[row] === 1) return;
    const at = this.#at;
    if (this.#isPush) bytes[at + this.#ipBytes + 13] |= PSH;
    if (this.#ipBytes === IPV6_HEADER_BYTES) {
      writeUint16(bytes, at + 4, length[row] - IPV6_HEADER_BYTES);
      return;
    }
    writeUint16(bytes, at + 2, length[row]);
    writeUint16(bytes, at + 10, 0);
    writeUint16(bytes, at + 10, finishChecksum(addBytes(0, bytes, at, IPV4_HEADER_BYTES)));
  }
}

/** Returns the bytes of both headers of a segment that may be joined with others; 0 for every other packet. */
function headerBytesOf(bytes: Uint8Array, at: number, length: number): number {
  const ipBytes = ipBytesOf(bytes, at, length);
  if (ipBytes === 0 || length < ipBytes + TCP_HEADER_BYTES || packetBytes(bytes, at) !== length) return 0;
  const tcpBytes = (bytes[at + ipBytes + 12] >> 4) * 4;
  const isPlain = (bytes[at + ipBytes + 13] & ~PSH) === ACK && tcpBytes >= TCP_HEADER_BYTES;
  return isPlain && ipBytes + tcpBytes < length ? ipBytes + tcpBytes : 0;
}

/** Returns the bytes of an IP header right in front of TCP; 0 with options, extension headers, and for fragments. */
function ipBytesOf(bytes: Uint8Array, at: number, length: number): number {
  if (length < IPV4_HEADER_BYTES) return 0;
  if (bytes[at] === PLAIN_IPV4) {
    const isWhole = (readUint16(bytes, at + 6) & FRAGMENT_BITS) === 0;
    return isWhole && bytes[at + 9] === PROTOCOL_TCP ? IPV4_HEADER_BYTES : 0;
  }
  const isPlainIpv6 = length >= IPV6_HEADER_BYTES && bytes[at] >> 4 === 6 && bytes[at + 6] === PROTOCOL_TCP;
  return isPlainIpv6 ? IPV6_HEADER_BYTES : 0;
}

/** @param without Places of bytes in the IP header that differ. */
function headerMask(ipBytes: number, without: readonly number[]): Int32Array {
  const mask = new Uint8Array(MAX_HEADER_BYTES).fill(0xff);
  const sequence = [4, 5, 6, 7];
  const checksum = [16, 17];
  for (const at of without) mask[at] = 0;
  for (const at of [...sequence, ...checksum]) mask[ipBytes + at] = 0;
  mask[ipBytes + 13] = ~PSH;
  return new Int32Array(mask.buffer);
}
