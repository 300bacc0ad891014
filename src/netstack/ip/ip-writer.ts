import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, writeUint16 } from '../../wire/ip-header.js';
import { isIpv4Address, writeAddress6 } from '../address.js';
import { addBytes, finishChecksum, writeUint32 } from '../checksum.js';

const HOP_LIMIT = 64;
const DONT_FRAGMENT = 0x4000;

/** The fields of a header that is written. */
export interface IpFields {
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly protocol: number;
  readonly trafficClass: number;
}

/** Returns the length of the IP header towards an address: 20 or 40 bytes. */
export function ipHeaderBytes(destination: Int32Array): number {
  return isIpv4Address(destination) ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

/**
 * Writes the header of a packet that no router may cut, in front of `payloadBytes`.
 *
 * An IPv4 packet that is never cut needs no identification (RFC 6864 §4.1): the field is 0.
 *
 * @returns Bytes written: 20 or 40.
 */
export function writeIpHeader(bytes: Uint8Array, at: number, fields: IpFields, payloadBytes: number): number {
  if (!isIpv4Address(fields.destination)) return writeIpv6Header(bytes, at, fields, payloadBytes);
  return writeIpv4Header(bytes, at, fields, payloadBytes, 0, DONT_FRAGMENT);
}

/** @param fragment The word of flags and offset (RFC 791 §3.1). */
export function writeIpv4Header(
  bytes: Uint8Array,
  at: number,
  { source, destination, protocol, trafficClass }: IpFields,
  payloadBytes: number,
  identification: number,
  fragment: number,
): number {
  bytes[at] = 0x45;
  bytes[at + 1] = trafficClass;
  writeUint16(bytes, at + 2, IPV4_HEADER_BYTES + payloadBytes);
  writeUint16(bytes, at + 4, identification);
  writeUint16(bytes, at + 6, fragment);
  bytes[at + 8] = HOP_LIMIT;
  bytes[at + 9] = protocol;
  writeUint16(bytes, at + 10, 0);
  writeUint32(bytes, at + 12, source[3]);
  writeUint32(bytes, at + 16, destination[3]);
  writeUint16(bytes, at + 10, finishChecksum(addBytes(0, bytes, at, IPV4_HEADER_BYTES)));
  return IPV4_HEADER_BYTES;
}

export function writeIpv6Header(
  bytes: Uint8Array,
  at: number,
  { source, destination, protocol, trafficClass }: IpFields,
  payloadBytes: number,
): number {
  bytes[at] = 0x60 | (trafficClass >> 4);
  bytes[at + 1] = (trafficClass & 0x0f) << 4;
  writeUint16(bytes, at + 2, 0);
  writeUint16(bytes, at + 4, payloadBytes);
  bytes[at + 6] = protocol;
  bytes[at + 7] = HOP_LIMIT;
  writeAddress6(source, 0, bytes, at + 8);
  writeAddress6(destination, 0, bytes, at + 24);
  return IPV6_HEADER_BYTES;
}
