/**
 * The inner IP packet: the fields that the tunnel reads, and the one field that it changes (ECN).
 *
 * `checkIpPacket` comes first, once per packet. The other functions take a packet that passed it, by its
 * start in `bytes`, and check nothing. Integers are big-endian. No function walks IPv6 extension headers.
 *
 * Source: RFC 791 §3.1, RFC 8200 §3, RFC 768, RFC 3168 §5.
 */
export const IPV4_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;
export const UDP_HEADER_BYTES = 8;

const IPV4_TTL_AT = 8;
const IPV4_CHECKSUM_AT = 10;
const IPV6_HOP_LIMIT_AT = 7;
/** Byte offsets of the addresses from the packet's start. */
export const IPV4_SOURCE_AT = 12;
export const IPV4_DESTINATION_AT = 16;
export const IPV6_SOURCE_AT = 8;
export const IPV6_DESTINATION_AT = 24;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_IPV6_FRAGMENT = 44;

/** Congestion was met on the way. The other code points: 0 not capable, 1 and 2 capable. */
export const ECN_CAPABLE_1 = 1;
export const ECN_CAPABLE_0 = 2;
export const ECN_CONGESTION_EXPERIENCED = 3;
export const ECN_MASK = 3;

const NO_UDP = -1;

/**
 * Tests that `length` bytes at `at` are an IP packet, as far as its lengths show.
 *
 * The header must be there, and the length that it states must lie within `length`: the bytes behind the packet are
 * padding.
 *
 * @returns The version, 4 or 6, or 0 if the bytes are no packet.
 */
export function checkIpPacket(bytes: Uint8Array, at: number, length: number): 0 | 4 | 6 {
  if (length < IPV4_HEADER_BYTES) return 0;
  const version = bytes[at] >> 4;
  if (version === 4) {
    const headerBytes = ipv4HeaderBytes(bytes, at);
    const totalBytes = packetBytes4(bytes, at);
    return headerBytes >= IPV4_HEADER_BYTES && headerBytes <= totalBytes && totalBytes <= length ? 4 : 0;
  }
  if (version === 6) return packetBytes6(bytes, at) <= length ? 6 : 0;
  return 0;
}

/** Returns the version of a packet that `checkIpPacket` accepted. */
export function ipVersion(bytes: Uint8Array, at: number): 4 | 6 {
  return (bytes[at] >> 4) as 4 | 6;
}

/** The length that the header states, the header itself included. */
export function packetBytes(bytes: Uint8Array, at: number): number {
  return ipVersion(bytes, at) === 4 ? packetBytes4(bytes, at) : packetBytes6(bytes, at);
}

/** The TOS byte (IPv4) or traffic class (IPv6): six bits of DSCP, two of ECN. */
export function trafficClass(bytes: Uint8Array, at: number): number {
  if (ipVersion(bytes, at) === 4) return bytes[at + 1];
  return ((bytes[at] & 0x0f) << 4) | (bytes[at + 1] >> 4);
}

/** Sets the two ECN bits, and updates the header checksum of IPv4 incrementally (RFC 1624 §3). */
export function setEcn(bytes: Uint8Array, at: number, ecn: number): void {
  if (ipVersion(bytes, at) === 6) {
    bytes[at + 1] = (bytes[at + 1] & ~(ECN_MASK << 4)) | (ecn << 4);
    return;
  }
  const before = readUint16(bytes, at);
  bytes[at + 1] = (bytes[at + 1] & ~ECN_MASK) | ecn;
  const sum = (~readUint16(bytes, at + 10) & 0xffff) + (~before & 0xffff) + readUint16(bytes, at);
  writeUint16(bytes, at + 10, ~foldSum(sum));
}

/**
 * Returns the start of a packet's UDP header in `bytes`.
 *
 * @returns −1 if the packet is not UDP, is a later fragment, or ends before the header does. IPv6 with
 *   extension headers counts as not UDP.
 */
export function udpHeaderAt(bytes: Uint8Array, at: number): number {
  const isIpv4 = ipVersion(bytes, at) === 4;
  const protocol = isIpv4 ? bytes[at + 9] : bytes[at + 6];
  if (protocol !== PROTOCOL_UDP || (isIpv4 && isLaterFragment4(bytes, at))) return NO_UDP;

  const headerBytes = isIpv4 ? ipv4HeaderBytes(bytes, at) : IPV6_HEADER_BYTES;
  return packetBytes(bytes, at) >= headerBytes + UDP_HEADER_BYTES ? at + headerBytes : NO_UDP;
}

/** @param udpAt What `udpHeaderAt` returned. */
export function udpSourcePort(bytes: Uint8Array, udpAt: number): number {
  return readUint16(bytes, udpAt);
}

/** @param udpAt What `udpHeaderAt` returned. */
export function udpDestinationPort(bytes: Uint8Array, udpAt: number): number {
  return readUint16(bytes, udpAt + 2);
}

export function ipv4HeaderBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at] & 0x0f) * 4;
}

/** Tests for an IPv4 fragment that is not the first one. */
export function isLaterFragment4(bytes: Uint8Array, at: number): boolean {
  return (readUint16(bytes, at + 6) & 0x1fff) !== 0;
}

function packetBytes4(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at + 2);
}

function packetBytes6(bytes: Uint8Array, at: number): number {
  return IPV6_HEADER_BYTES + readUint16(bytes, at + 4);
}

/** Adds the carries of a sum of 16-bit words back in, until none is left (RFC 1071). */
export function foldSum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

/** Writes the low 16 bits of `value`. */
export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Returns the TTL of an IPv4 packet, or the hop limit of an IPv6 packet. */
export function hopLimit(bytes: Uint8Array, at: number): number {
  return bytes[at + (ipVersion(bytes, at) === 4 ? IPV4_TTL_AT : IPV6_HOP_LIMIT_AT)];
}

/** Takes one from the hop limit, which must be above 0, and repairs the checksum of an IPv4 header (RFC 1624 §3). */
export function takeHop(bytes: Uint8Array, at: number): void {
  if (ipVersion(bytes, at) === 6) {
    bytes[at + IPV6_HOP_LIMIT_AT]--;
    return;
  }
  bytes[at + IPV4_TTL_AT]--;
  // The word with the TTL became 0x100 less, so the checksum, a complement, becomes that much more.
  writeUint16(bytes, at + IPV4_CHECKSUM_AT, foldSum(readUint16(bytes, at + IPV4_CHECKSUM_AT) + 0x100));
}
