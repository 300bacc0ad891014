import { readUint16 } from '../wire/ip-header.js';

/**
 * The Internet checksum, and the pseudo-header that TCP, UDP and ICMPv6 put in front of it.
 *
 * Sums are carried unfolded as integers below 2^53: 64 KiB of bytes add less than 2^32. Only `finishChecksum` folds.
 *
 * Source: RFC 1071 §1, §4.1; RFC 9293 §3.1; RFC 8200 §8.1.
 */

/** Adds the 16-bit big-endian words of `length` bytes at `at` to `sum`; an odd last byte counts as the high half. */
export function addBytes(sum: number, bytes: Uint8Array, at: number, length: number): number {
  const end = at + length;
  const evenEnd = at + (length & ~1);
  let high = 0;
  let low = 0;
  let i = at;
  // Four words per turn: the loop is bound by the number of its branches.
  for (; i + 8 <= evenEnd; i += 8) {
    high += bytes[i] + bytes[i + 2] + bytes[i + 4] + bytes[i + 6];
    low += bytes[i + 1] + bytes[i + 3] + bytes[i + 5] + bytes[i + 7];
  }
  for (; i < evenEnd; i += 2) {
    high += bytes[i];
    low += bytes[i + 1];
  }
  if (evenEnd < end) high += bytes[evenEnd];
  return sum + high * 256 + low;
}

/** Whether the low byte of a word comes first. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * `addBytes` for long runs, four bytes at a time.
 *
 * The words are read in the machine's order, which the checksum does not mind (RFC 1071 §2): the two halves of a little-endian sum
 * only change places in the end.
 */
export class WordSum {
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Int32Array = new Int32Array(0);

  /** Sums bytes of this array from now on. Its memory starts and ends at a multiple of four. */
  adopt(bytes: Uint8Array): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }

  /** Adds to a sum the 16-bit big-endian words of `length` bytes at `at`, which is a multiple of four. */
  add(sum: number, at: number, length: number): number {
    const words = this.#words;
    const end = (at + length) >> 2;
    let high = 0;
    let low = 0;
    let i = at >> 2;
    // 64 KiB of halves add less than 2^31: `| 0` tells the compiler.
    for (; i + 4 <= end; i += 4) {
      const a = words[i];
      const b = words[i + 1];
      const c = words[i + 2];
      const d = words[i + 3];
      high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
      low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
    }
    for (; i < end; i++) {
      high += words[i] >>> 16;
      low += words[i] & 0xffff;
    }
    const folded = ~finishChecksum(high + low) & 0xffff;
    const total = sum + (IS_LITTLE_ENDIAN ? ((folded & 0xff) << 8) | (folded >> 8) : folded);
    return addBytes(total, this.#bytes, end << 2, length & 3);
  }
}

/** Adds the pseudo-header of a packet whose addresses stand in its own header. */
export function addPseudoHeader(bytes: Uint8Array, ipAt: number, protocol: number, transportBytes: number): number {
  const isIpv4 = bytes[ipAt] >> 4 === 4;
  const addresses = isIpv4 ? addBytes(0, bytes, ipAt + 12, 8) : addBytes(0, bytes, ipAt + 8, 32);
  return addresses + protocol + transportBytes;
}

/** Folds a sum and returns its complement, the value for the checksum field. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

/** Tests the checksum of a TCP, UDP or ICMPv6 message, its own field included in the sum. */
export function hasValidTransportChecksum(
  bytes: Uint8Array,
  ipAt: number,
  protocol: number,
  transportAt: number,
  transportBytes: number,
): boolean {
  const pseudo = addPseudoHeader(bytes, ipAt, protocol, transportBytes);
  return finishChecksum(addBytes(pseudo, bytes, transportAt, transportBytes)) === 0;
}

/** Tests the header checksum of IPv4, or the checksum of an ICMP message: a plain sum over the bytes. */
export function hasValidChecksum(bytes: Uint8Array, at: number, length: number): boolean {
  return finishChecksum(addBytes(0, bytes, at, length)) === 0;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (readUint16(bytes, at) << 16) | readUint16(bytes, at + 2);
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
