import {
  checkIpPacket,
  foldSum,
  IPV4_DESTINATION_AT,
  IPV4_HEADER_BYTES,
  IPV4_SOURCE_AT,
  IPV6_DESTINATION_AT,
  IPV6_HEADER_BYTES,
  IPV6_SOURCE_AT,
  ipv4HeaderBytes,
  isLaterFragment4,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_IPV6_FRAGMENT,
  packetBytes,
  readUint16,
  writeUint16,
} from './ip-header.js';

/**
 * Answers to a packet that the tunnel cannot deliver.
 *
 * ```text
 *  0           20 or 40   +1     +2         +4     +8
 *  | IP header | type     | code | checksum | zero | as much of the packet as fits |
 * ```
 *
 * The answer comes from the unreachable address, since the tunnel has no address of its own
 * and the sender's reverse path check accepts that address.
 *
 * Source: RFC 792, RFC 1122 §3.2.2, RFC 1812 §4.3.2.3; RFC 4443 §2.4 and §3.1.
 */

/** The greatest length of an answer: 576 bytes for IPv4, 1,280 for IPv6. */
export const UNREACHABLE_MAX_BYTES = 1_280;
const UNREACHABLE_MAX_BYTES4 = 576;

const ICMP_HEADER_BYTES = 8;
const HOP_LIMIT = 64;
/** Destination unreachable: host (ICMP), address (ICMPv6). */
const TYPE4 = 3;
const CODE4 = 1;
const TYPE6 = 1;
const CODE6 = 3;

/** Destination unreachable, source quench, redirect, time exceeded, parameter problem. */
const ICMP_ERRORS = new Set([3, 4, 5, 11, 12]);
/** Types below 128 are errors (RFC 4443 §2.1). Redirects get no answer either (§2.4 e.2). */
const ICMPV6_FIRST_INFORMATIONAL = 128;
const ICMPV6_REDIRECT = 137;
/** Extension headers that could precede an ICMPv6 error: hop-by-hop, routing, authentication, destination options. */
const EXTENSION_HEADERS = new Set([0, 43, 51, 60]);

/**
 * Writes the ICMP "host unreachable" or ICMPv6 "address unreachable" for a packet.
 *
 * @param out Has UNREACHABLE_MAX_BYTES from `outAt` on.
 * @returns Bytes written, or 0 if the packet must not be answered: it is no IP packet, an ICMP error, a later
 *   fragment, or its source or destination is not one host's address.
 */
export function writeUnreachable(
  packet: Uint8Array,
  at: number,
  length: number,
  out: Uint8Array,
  outAt: number,
): number {
  const version = checkIpPacket(packet, at, length);
  if (version === 4 && isAnswerable4(packet, at)) return writeUnreachable4(packet, at, out, outAt);
  if (version === 6 && isAnswerable6(packet, at)) return writeUnreachable6(packet, at, out, outAt);
  return 0;
}

function isAnswerable4(packet: Uint8Array, at: number): boolean {
  if (isLaterFragment4(packet, at)) return false;
  if (!isHost4(packet, at + IPV4_SOURCE_AT) || !isHost4(packet, at + IPV4_DESTINATION_AT)) return false;
  if (packet[at + 9] !== PROTOCOL_ICMP) return true;

  const headerBytes = ipv4HeaderBytes(packet, at);
  return packetBytes(packet, at) >= headerBytes + ICMP_HEADER_BYTES && !ICMP_ERRORS.has(packet[at + headerBytes]);
}

/** Not "this network" (0/8), loopback (127/8), multicast (224/4), reserved (240/4) or broadcast. */
function isHost4(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  return first !== 0 && first !== 127 && first < 224;
}

function isAnswerable6(packet: Uint8Array, at: number): boolean {
  if (!isHost6(packet, at + IPV6_SOURCE_AT) || !isHost6(packet, at + IPV6_DESTINATION_AT)) return false;
  const isFragment = packet[at + 6] === PROTOCOL_IPV6_FRAGMENT;
  if (!isFragment) return isAnswerableUpper6(packet, at, packet[at + 6], IPV6_HEADER_BYTES);

  const upperAt = IPV6_HEADER_BYTES + 8;
  if (packetBytes(packet, at) < upperAt) return false;
  const isLaterFragment = (readUint16(packet, at + IPV6_HEADER_BYTES + 2) & 0xfff8) !== 0;
  return !isLaterFragment && isAnswerableUpper6(packet, at, packet[at + IPV6_HEADER_BYTES], upperAt);
}

function isAnswerableUpper6(packet: Uint8Array, at: number, nextHeader: number, headerBytes: number): boolean {
  if (EXTENSION_HEADERS.has(nextHeader) || nextHeader === PROTOCOL_IPV6_FRAGMENT) return false;
  if (nextHeader !== PROTOCOL_ICMPV6) return true;
  if (packetBytes(packet, at) < headerBytes + ICMP_HEADER_BYTES) return false;
  const type = packet[at + headerBytes];
  return type >= ICMPV6_FIRST_INFORMATIONAL && type !== ICMPV6_REDIRECT;
}

/** Not unspecified (::), loopback (::1) or multicast (ff00::/8). */
function isHost6(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xff) return false;
  for (let i = 0; i < 15; i++) if (bytes[at + i] !== 0) return true;
  return bytes[at + 15] > 1;
}

function writeUnreachable4(packet: Uint8Array, at: number, out: Uint8Array, outAt: number): number {
  const icmpAt = outAt + IPV4_HEADER_BYTES;
  const icmpBytes = writeIcmp(packet, at, TYPE4, CODE4, out, icmpAt, UNREACHABLE_MAX_BYTES4 - IPV4_HEADER_BYTES);
  const totalBytes = IPV4_HEADER_BYTES + icmpBytes;

  out.fill(0, outAt, icmpAt);
  out[outAt] = 0x45;
  writeUint16(out, outAt + 2, totalBytes);
  out[outAt + 8] = HOP_LIMIT;
  out[outAt + 9] = PROTOCOL_ICMP;
  copyAddresses(packet, at + IPV4_SOURCE_AT, out, outAt + IPV4_SOURCE_AT, 4);
  writeUint16(out, outAt + 10, ~foldSum(sumWords(out, outAt, IPV4_HEADER_BYTES)));
  writeUint16(out, icmpAt + 2, ~foldSum(sumWords(out, icmpAt, icmpBytes)));
  return totalBytes;
}

function writeUnreachable6(packet: Uint8Array, at: number, out: Uint8Array, outAt: number): number {
  const icmpAt = outAt + IPV6_HEADER_BYTES;
  const icmpBytes = writeIcmp(packet, at, TYPE6, CODE6, out, icmpAt, UNREACHABLE_MAX_BYTES - IPV6_HEADER_BYTES);

  out.fill(0, outAt, icmpAt);
  out[outAt] = 0x60;
  writeUint16(out, outAt + 4, icmpBytes);
  out[outAt + 6] = PROTOCOL_ICMPV6;
  out[outAt + 7] = HOP_LIMIT;
  copyAddresses(packet, at + IPV6_SOURCE_AT, out, outAt + IPV6_SOURCE_AT, 16);
  // The pseudo-header (RFC 8200 §8.1): both addresses, length, protocol.
  const pseudoSum = sumWords(out, outAt + IPV6_SOURCE_AT, 32) + icmpBytes + PROTOCOL_ICMPV6;
  writeUint16(out, icmpAt + 2, ~foldSum(pseudoSum + sumWords(out, icmpAt, icmpBytes)));
  return IPV6_HEADER_BYTES + icmpBytes;
}

/** Writes type, code and the quoted packet, with 0 for the checksum. @returns Bytes written. */
function writeIcmp(
  packet: Uint8Array,
  at: number,
  type: number,
  code: number,
  out: Uint8Array,
  icmpAt: number,
  maxBytes: number,
): number {
  const quotedBytes = Math.min(packetBytes(packet, at), maxBytes - ICMP_HEADER_BYTES);
  out.fill(0, icmpAt, icmpAt + ICMP_HEADER_BYTES);
  out[icmpAt] = type;
  out[icmpAt + 1] = code;
  out.set(packet.subarray(at, at + quotedBytes), icmpAt + ICMP_HEADER_BYTES);
  return ICMP_HEADER_BYTES + quotedBytes;
}

/** Copies source and destination, which lie side by side, to each other's place. */
function copyAddresses(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, addressBytes: number): void {
  to.set(from.subarray(fromAt, fromAt + addressBytes), toAt + addressBytes);
  to.set(from.subarray(fromAt + addressBytes, fromAt + 2 * addressBytes), toAt);
}

/** The sum of big-endian 16-bit words; an odd last byte is the upper half of one. */
function sumWords(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  const end = at + length;
  for (let i = at; i + 1 < end; i += 2) sum += readUint16(bytes, i);
  return length % 2 === 0 ? sum : sum + (bytes[end - 1] << 8);
}
