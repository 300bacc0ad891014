import {
  checkIpPacket,
  IPV4_DESTINATION_AT,
  IPV4_SOURCE_AT,
  IPV6_DESTINATION_AT,
  IPV6_HEADER_BYTES,
  IPV6_SOURCE_AT,
  ipv4HeaderBytes,
  PROTOCOL_IPV6_FRAGMENT,
  packetBytes,
  readUint16,
  trafficClass,
} from '../../wire/ip-header.js';
import { readAddress4, readAddress6 } from '../address.js';
import { readUint32 } from '../checksum.js';

/** An IPv6 packet with more extension headers than these is dropped: no honest sender chains so many. */
const MAX_EXTENSION_HEADERS = 8;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
const FRAGMENT_HEADER_BYTES = 8;

/** Why a packet was not taken. `Ok` is 0. */
export const IpProblem = {
  Ok: 0,
  Malformed: 1,
  /** The header checksum of IPv4 is wrong, as on a link that corrupts. */
  BadChecksum: 2,
  /** A routing header with segments left, or an option that demands an answer (RFC 8200 §4.2, §4.4). */
  Refused: 3,
} as const;
export type IpProblem = (typeof IpProblem)[keyof typeof IpProblem];

/**
 * The IP header of one packet, read into fields that every packet uses again.
 *
 * ```text
 * at         payloadAt        payloadAt + payloadBytes
 * | header(s) | transport header, payload | padding |
 * ```
 *
 * Source: RFC 791 §3.1; RFC 8200 §3, §4.
 */
export class IpView {
  version: 4 | 6 = 4;
  at = 0;
  /** The transport protocol, behind all extension headers. */
  protocol = 0;
  payloadAt = 0;
  payloadBytes = 0;
  trafficClass = 0;
  hopLimit = 0;
  readonly source = new Int32Array(4);
  readonly destination = new Int32Array(4);

  /** How many segments of TCP were joined into this packet. The caller of `read` sets it. */
  segments = 1;
  /** A fragment: neither the first nor the last byte of its datagram need be here. */
  isFragment = false;
  /** Bytes of the datagram's payload in front of this fragment. */
  fragmentOffset = 0;
  hasMoreFragments = false;
  fragmentId = 0;
  /** "Do not fragment", IPv4 only. */
  isWhole = false;

  read(bytes: Uint8Array, at: number, length: number): IpProblem {
    const version = checkIpPacket(bytes, at, length);
    if (version === 0) return IpProblem.Malformed;
    this.version = version;
    this.at = at;
    this.trafficClass = trafficClass(bytes, at);
    return version === 4 ? this.#read4(bytes) : this.#read6(bytes);
  }

  #read4(bytes: Uint8Array): IpProblem {
    const { at } = this;
    const headerBytes = ipv4HeaderBytes(bytes, at);
    this.payloadAt = at + headerBytes;
    this.payloadBytes = packetBytes(bytes, at) - headerBytes;
    this.protocol = bytes[at + 9];
    this.hopLimit = bytes[at + 8];
    readAddress4(bytes, at + IPV4_SOURCE_AT, this.source, 0);
    readAddress4(bytes, at + IPV4_DESTINATION_AT, this.destination, 0);

    const fragment = readUint16(bytes, at + 6);
    this.isWhole = (fragment & 0x4000) !== 0;
    this.hasMoreFragments = (fragment & 0x2000) !== 0;
    this.fragmentOffset = (fragment & 0x1fff) * 8;
    this.isFragment = this.hasMoreFragments || this.fragmentOffset > 0;
    this.fragmentId = readUint16(bytes, at + 4);
    return IpProblem.Ok;
  }

  #read6(bytes: Uint8Array): IpProblem {
    const { at } = this;
    this.hopLimit = bytes[at + 7];
    readAddress6(bytes, at + IPV6_SOURCE_AT, this.source, 0);
    readAddress6(bytes, at + IPV6_DESTINATION_AT, this.destination, 0);
    this.isFragment = false;
    this.isWhole = true;
    this.hasMoreFragments = false;
    this.fragmentOffset = 0;
    this.payloadAt = at + IPV6_HEADER_BYTES;
    this.protocol = bytes[at + 6];
    return this.#walkExtensions(bytes, at + packetBytes(bytes, at));
  }

  /** Follows the chain of extension headers to the transport header. The chain ends at the first fragment header. */
  #walkExtensions(bytes: Uint8Array, end: number): IpProblem {
    for (let count = 0; count < MAX_EXTENSION_HEADERS; count++) {
      this.payloadBytes = end - this.payloadAt;
      if (this.protocol === PROTOCOL_IPV6_FRAGMENT) return this.#readFragmentHeader(bytes);
      if (!isExtension(this.protocol)) return IpProblem.Ok;
      if (this.payloadBytes < 8) return IpProblem.Malformed;
      const headerBytes = 8 + 8 * bytes[this.payloadAt + 1];
      if (headerBytes > this.payloadBytes) return IpProblem.Malformed;
      if (this.protocol === ROUTING && bytes[this.payloadAt + 3] > 0) return IpProblem.Refused;
      this.protocol = bytes[this.payloadAt];
      this.payloadAt += headerBytes;
    }
    return IpProblem.Malformed;
  }

  #readFragmentHeader(bytes: Uint8Array): IpProblem {
    if (this.payloadBytes < FRAGMENT_HEADER_BYTES) return IpProblem.Malformed;
    const at = this.payloadAt;
    const field = readUint16(bytes, at + 2);
    this.hasMoreFragments = (field & 1) !== 0;
    this.fragmentOffset = field & 0xfff8;
    this.fragmentId = readUint32(bytes, at + 4);
    this.protocol = bytes[at];
    this.payloadAt += FRAGMENT_HEADER_BYTES;
    this.payloadBytes -= FRAGMENT_HEADER_BYTES;
    // An atomic fragment is a whole datagram and never waits for others (RFC 6946 §4).
    this.isFragment = this.hasMoreFragments || this.fragmentOffset > 0;
    return IpProblem.Ok;
  }
}

/** Tests whether a protocol number is that of an extension header that may be skipped. */
export function isExtension(protocol: number): boolean {
  return protocol === HOP_BY_HOP || protocol === ROUTING || protocol === DESTINATION_OPTIONS;
}
