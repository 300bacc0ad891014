import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, readUint16 } from '../../wire/ip-header.js';
import { readAddress4, readAddress6 } from '../address.js';
import { readUint32 } from '../checksum.js';
import type { IpView } from '../ip/ip-view.js';

export const ICMP_HEADER_BYTES = 8;
export const UNREACHABLE4 = 3;
export const UNREACHABLE6 = 1;
export const TIME_EXCEEDED4 = 11;
export const TIME_EXCEEDED6 = 3;
const PARAMETER_PROBLEM4 = 12;
const PACKET_TOO_BIG6 = 2;
export const HOPS_EXCEEDED = 0;
/** The code of an error about fragments that never became a datagram. */
export const REASSEMBLY_EXCEEDED = 1;
export const PARAMETER_PROBLEM6 = 4;
/** The code of a parameter problem that stands for an unknown protocol (RFC 4443 §3.4). */
export const PROTOCOL_CODE6 = 1;

/** The meaning of an ICMP error, in words for both families. */
export type UnreachableKind =
  | 'network'
  | 'host'
  | 'protocol'
  | 'port'
  | 'prohibited'
  | 'too-big'
  | 'other'
  /** Time exceeded, or a parameter problem: it never ends a connection (RFC 9293 §3.9.2.2). */
  | 'transient';

/** An error that came in, about a packet of ours. Every field is of the packet that is quoted. */
export interface IcmpError {
  readonly kind: UnreachableKind;
  readonly protocol: number;
  readonly local: Int32Array;
  readonly remote: Int32Array;
  readonly localPort: number;
  readonly remotePort: number;
  /** TCP: what tells an honest error from a guess (RFC 5927 §4.1). */
  readonly sequence: number;
  /** For `too-big`, the MTU of the next hop; 0 if the router gave none. */
  readonly mtu: number;
}

/**
 * Reads an error and the packet of ours that it quotes: header and eight bytes at the least (RFC 792).
 *
 * @returns `undefined` for messages that mean nothing to us.
 */
export function parseError(view: IpView, bytes: Uint8Array): IcmpError | 'malformed' | undefined {
  const kind = errorKind(view, bytes);
  if (kind === undefined) return undefined;
  const quotedAt = view.payloadAt + ICMP_HEADER_BYTES;
  const quotedBytes = view.payloadBytes - ICMP_HEADER_BYTES;
  const quoted = new Quotation();
  if (!quoted.read(bytes, quotedAt, quotedBytes, view.version)) return 'malformed';
  return {
    kind,
    protocol: quoted.protocol,
    local: quoted.source,
    remote: quoted.destination,
    localPort: readUint16(bytes, quoted.transportAt),
    remotePort: readUint16(bytes, quoted.transportAt + 2),
    sequence: readUint32(bytes, quoted.transportAt + 4),
    mtu:
      kind !== 'too-big' ? 0 : view.version === 4 ? readUint16(bytes, view.payloadAt + 6) : mtu6(bytes, view.payloadAt),
  };
}

function mtu6(bytes: Uint8Array, at: number): number {
  return Math.min(readUint32(bytes, at + 4) >>> 0, 0xffff);
}

function errorKind(view: IpView, bytes: Uint8Array): UnreachableKind | undefined {
  const type = bytes[view.payloadAt];
  const code = bytes[view.payloadAt + 1];
  if (view.version === 4) {
    if (type === UNREACHABLE4) return KINDS4[code] ?? 'other';
    if (type === PARAMETER_PROBLEM4) return 'transient';
    return type === TIME_EXCEEDED4 && code === HOPS_EXCEEDED ? 'transient' : undefined; // source quench is ignored (RFC 6633)
  }
  if (type === PACKET_TOO_BIG6) return 'too-big';
  if (type === UNREACHABLE6) return KINDS6[code] ?? 'other';
  if (type === PARAMETER_PROBLEM6) return code === PROTOCOL_CODE6 ? 'protocol' : 'transient';
  return type === TIME_EXCEEDED6 && code === HOPS_EXCEEDED ? 'transient' : undefined;
}

const KINDS4: readonly (UnreachableKind | undefined)[] = [
  'network',
  'host',
  'protocol',
  'port',
  'too-big',
  'other',
  'network',
  'host',
  'host',
  'prohibited',
  'prohibited',
  'network',
  'host',
  'prohibited',
];
const KINDS6: readonly (UnreachableKind | undefined)[] = [
  'network',
  'prohibited',
  'other',
  'host',
  'port',
  'prohibited',
];

/** The start of a packet of ours inside an error. It may be cut off, so its stated length means nothing. */
class Quotation {
  protocol = 0;
  transportAt = 0;
  source: Int32Array = new Int32Array(4);
  destination: Int32Array = new Int32Array(4);

  read(bytes: Uint8Array, at: number, length: number, version: 4 | 6): boolean {
    const headerBytes = version === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
    if (length < headerBytes + 8 || bytes[at] >> 4 !== version) return false;
    const realHeader = version === 4 ? (bytes[at] & 0x0f) * 4 : headerBytes;
    if (realHeader < headerBytes || length < realHeader + 8) return false;
    this.protocol = version === 4 ? bytes[at + 9] : bytes[at + 6];
    this.transportAt = at + realHeader;
    this.source = readAddress(bytes, version === 4 ? at + 12 : at + 8, version);
    this.destination = readAddress(bytes, version === 4 ? at + 16 : at + 24, version);
    return true;
  }
}

function readAddress(bytes: Uint8Array, at: number, version: 4 | 6): Int32Array {
  const words = new Int32Array(4);
  if (version === 4) readAddress4(bytes, at, words, 0);
  else readAddress6(bytes, at, words, 0);
  return words;
}
