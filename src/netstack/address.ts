import { readUint32, writeUint32 } from './checksum.js';

/**
 * Addresses inside the stack: four int32 words, big-endian values, IPv4 as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2).
 *
 * One form for both families keeps every table and comparison free of branches.
 */
export const ADDRESS_WORDS = 4;

const MAPPED_PREFIX = 0xffff;

/** Returns the words of an address of 4 or 16 bytes. */
export function addressWords(address: Uint8Array): Int32Array {
  const words = new Int32Array(ADDRESS_WORDS);
  if (address.length === 4) readAddress4(address, 0, words, 0);
  else readAddress6(address, 0, words, 0);
  return words;
}

/** Returns the 4 or 16 bytes of an address. */
export function addressBytes(words: Int32Array, at = 0): Uint8Array {
  const bytes = new Uint8Array(isIpv4Address(words, at) ? 4 : 16);
  if (bytes.length === 4) writeUint32(bytes, 0, words[at + 3]);
  else writeAddress6(words, at, bytes, 0);
  return bytes;
}

export function readAddress4(bytes: Uint8Array, at: number, words: Int32Array, wordsAt: number): void {
  words[wordsAt] = 0;
  words[wordsAt + 1] = 0;
  words[wordsAt + 2] = MAPPED_PREFIX;
  words[wordsAt + 3] = readUint32(bytes, at);
}

export function readAddress6(bytes: Uint8Array, at: number, words: Int32Array, wordsAt: number): void {
  for (let i = 0; i < ADDRESS_WORDS; i++) words[wordsAt + i] = readUint32(bytes, at + 4 * i);
}

export function writeAddress6(words: Int32Array, wordsAt: number, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < ADDRESS_WORDS; i++) writeUint32(bytes, at + 4 * i, words[wordsAt + i]);
}

export function isIpv4Address(words: Int32Array, at = 0): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_PREFIX;
}

export function addressEquals(a: Int32Array, aAt: number, b: Int32Array, bAt: number): boolean {
  return a[aAt] === b[bAt] && a[aAt + 1] === b[bAt + 1] && a[aAt + 2] === b[bAt + 2] && a[aAt + 3] === b[bAt + 3];
}

/**
 * Tests whether an address may be the source or the destination of a unicast flow: not unspecified, multicast,
 * broadcast or, for IPv4, of network 0 (RFC 1122 §3.2.1.3, RFC 4291 §2.7).
 */
export function isUnicastAddress(words: Int32Array, at = 0): boolean {
  if (isIpv4Address(words, at)) {
    const first = words[at + 3] >>> 24;
    return first !== 0 && first < 224;
  }
  if (words[at] >>> 24 === 0xff) return false;
  return (words[at] | words[at + 1] | words[at + 2] | words[at + 3]) !== 0;
}

/** Tests whether an address stands for the host itself: 127/8, or ::1 (RFC 1122 §3.2.1.3 g, RFC 4291 §2.5.3). */
export function isLoopbackAddress(words: Int32Array, at = 0): boolean {
  if (isIpv4Address(words, at)) return words[at + 3] >>> 24 === 127;
  return (words[at] | words[at + 1] | words[at + 2]) === 0 && words[at + 3] === 1;
}
