import * as ipHeader from '../wire/ip-header.js';
import type { Flow } from './access.js';

const PROTOCOL_TCP = 6;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
/** No honest sender chains more extension headers than these. */
const MAX_EXTENSION_HEADERS = 8;

/** The kinds of packets that the tracking of flows tells apart. */
export const PacketKind = {
  /** It has the ports of its flow, or its protocol has none. */
  Whole: 0,
  /** The first fragment of a datagram, with the ports. */
  FirstFragment: 1,
  /** A fragment without ports; `fragmentId` names its datagram. */
  LaterFragment: 2,
  /** An ICMP error about the packet at `quotedAt`. */
  IcmpError: 3,
  /** The ports should be there and are not, or the headers cannot be followed. */
  Unreadable: 4,
} as const;
export type PacketKind = (typeof PacketKind)[keyof typeof PacketKind];

/**
 * The ends of the flow that a packet belongs to, read into fields that every packet uses again.
 *
 * An echo request and its reply have the identifier as both ports, so that the reply is the flow turned round.
 *
 * Source: RFC 791 §3.1; RFC 8200 §4; RFC 792; RFC 4443 §2.1.
 */
export class PacketEnds {
  kind: PacketKind = PacketKind.Unreadable;
  /** By number of IANA. */
  protocol = 0;
  sourcePort = 0;
  destinationPort = 0;
  fragmentId = 0;
  quotedAt = 0;
  #payloadAt = 0;
  #end = 0;
  #isFirstFragment = false;

  /** @param end Where the packet ends. A packet that is quoted in an ICMP error ends before its own length does. */
  read(bytes: Uint8Array, at: number, end: number): void {
    this.kind = PacketKind.Unreadable;
    this.sourcePort = 0;
    this.destinationPort = 0;
    this.#isFirstFragment = false;
    this.#end = end;
    const version = end - at >= ipHeader.IPV4_HEADER_BYTES ? bytes[at] >> 4 : 0;
    if (version === 4) this.#read4(bytes, at);
    else if (version === 6 && end - at >= ipHeader.IPV6_HEADER_BYTES) this.#read6(bytes, at);
  }

  /** The protocol as rules name it. */
  get flowProtocol(): Flow['protocol'] {
    switch (this.protocol) {
      case PROTOCOL_TCP:
        return 'tcp';
      case ipHeader.PROTOCOL_UDP:
        return 'udp';
      case ipHeader.PROTOCOL_ICMP:
      case ipHeader.PROTOCOL_ICMPV6:
        return 'icmp';
      default:
        return 'other';
    }
  }

  #read4(bytes: Uint8Array, at: number): void {
    this.protocol = bytes[at + 9];
    this.#payloadAt = at + ipHeader.ipv4HeaderBytes(bytes, at);
    this.fragmentId = ipHeader.readUint16(bytes, at + 4);
    const fragment = ipHeader.readUint16(bytes, at + 6);
    if ((fragment & 0x1fff) !== 0) {
      this.kind = PacketKind.LaterFragment;
      return;
    }
    this.#isFirstFragment = (fragment & 0x2000) !== 0;
    this.#readPorts(bytes);
  }

  #read6(bytes: Uint8Array, at: number): void {
    this.protocol = bytes[at + 6];
    this.#payloadAt = at + ipHeader.IPV6_HEADER_BYTES;
    for (let count = 0; count < MAX_EXTENSION_HEADERS; count++) {
      if (!isExtension(this.protocol)) {
        this.#readPorts(bytes);
        return;
      }
      if (!this.#stepOver(bytes)) return;
    }
  }

  /** Steps over one extension header. @returns Whether more can be read. */
  #stepOver(bytes: Uint8Array): boolean {
    const at = this.#payloadAt;
    if (at + 8 > this.#end) return false;
    const isFragment = this.protocol === ipHeader.PROTOCOL_IPV6_FRAGMENT;
    this.protocol = bytes[at];
    this.#payloadAt = at + (isFragment ? 8 : 8 + 8 * bytes[at + 1]);
    if (!isFragment) return true;

    this.fragmentId = (ipHeader.readUint16(bytes, at + 4) << 16) | ipHeader.readUint16(bytes, at + 6);
    const fragment = ipHeader.readUint16(bytes, at + 2);
    this.#isFirstFragment = (fragment & 1) !== 0;
    if ((fragment & 0xfff8) === 0) return true;
    this.kind = PacketKind.LaterFragment;
    return false;
  }

  #readPorts(bytes: Uint8Array): void {
    const at = this.#payloadAt;
    const protocol = this.flowProtocol;
    if (protocol !== 'other' && at + 8 > this.#end) return;
    if (protocol === 'icmp') {
      this.#readIcmp(bytes, at);
      return;
    }
    if (protocol !== 'other') {
      this.sourcePort = ipHeader.readUint16(bytes, at);
      this.destinationPort = ipHeader.readUint16(bytes, at + 2);
    }
    this.#isReadable();
  }

  #readIcmp(bytes: Uint8Array, at: number): void {
    const type = bytes[at];
    const isVersion4 = this.protocol === ipHeader.PROTOCOL_ICMP;
    if (isVersion4 ? isError4(type) : type < 128) {
      this.kind = PacketKind.IcmpError;
      this.quotedAt = at + 8;
      return;
    }
    const isEcho = isVersion4 ? type === 8 || type === 0 : type === 128 || type === 129;
    if (isEcho) {
      this.sourcePort = ipHeader.readUint16(bytes, at + 4);
      this.destinationPort = this.sourcePort;
    }
    this.#isReadable();
  }

  #isReadable(): void {
    this.kind = this.#isFirstFragment ? PacketKind.FirstFragment : PacketKind.Whole;
  }
}

function isExtension(protocol: number): boolean {
  return (
    protocol === HOP_BY_HOP ||
    protocol === ROUTING ||
    protocol === DESTINATION_OPTIONS ||
    protocol === ipHeader.PROTOCOL_IPV6_FRAGMENT
  );
}

/** Destination unreachable, source quench, time exceeded, parameter problem. A redirect is no error, and nobody needs one. */
function isError4(type: number): boolean {
  return type === 3 || type === 4 || type === 11 || type === 12;
}
