import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, PROTOCOL_IPV6_FRAGMENT, writeUint16 } from '../../wire/ip-header.js';
import { isIpv4Address } from '../address.js';
import { writeUint32 } from '../checksum.js';
import { type IpFields, ipHeaderBytes, writeIpHeader, writeIpv4Header, writeIpv6Header } from './ip-writer.js';

const FRAGMENT_HEADER_BYTES = 8;
const MORE_FRAGMENTS4 = 0x2000;
const MORE_FRAGMENTS6 = 1;

/**
 * Writes a datagram as one packet, or as fragments where the MTU demands it.
 *
 * Only the sender cuts IPv6 (RFC 8200 §4.5). Fragments but the last are multiples of eight bytes.
 *
 * @param payload Transport header and data, checksum complete.
 * @param identification Random, so that fragments of two datagrams are never joined.
 */
export function writeDatagram(
  fields: IpFields,
  payload: Uint8Array,
  mtu: number,
  identification: number,
): Uint8Array[] {
  const headerBytes = ipHeaderBytes(fields.destination);
  if (headerBytes + payload.length <= mtu) {
    const packet = new Uint8Array(headerBytes + payload.length);
    writeIpHeader(packet, 0, fields, payload.length);
    packet.set(payload, headerBytes);
    return [packet];
  }
  const isIpv4 = isIpv4Address(fields.destination);
  const overhead = isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES;
  const part = Math.max((mtu - overhead) & ~7, 8);
  const packets: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length; offset += part) {
    const data = payload.subarray(offset, offset + part);
    const isLast = offset + part >= payload.length;
    packets.push(
      isIpv4
        ? fragment4(fields, data, offset, isLast, identification)
        : fragment6(fields, data, offset, isLast, identification),
    );
  }
  return packets;
}

function fragment4(fields: IpFields, data: Uint8Array, offset: number, isLast: boolean, id: number): Uint8Array {
  const packet = new Uint8Array(IPV4_HEADER_BYTES + data.length);
  const word = (offset >> 3) | (isLast ? 0 : MORE_FRAGMENTS4);
  writeIpv4Header(packet, 0, fields, data.length, id & 0xffff, word);
  packet.set(data, IPV4_HEADER_BYTES);
  return packet;
}

function fragment6(fields: IpFields, data: Uint8Array, offset: number, isLast: boolean, id: number): Uint8Array {
  const packet = new Uint8Array(IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES + data.length);
  const outer = { ...fields, protocol: PROTOCOL_IPV6_FRAGMENT };
  writeIpv6Header(packet, 0, outer, FRAGMENT_HEADER_BYTES + data.length);
  packet[IPV6_HEADER_BYTES] = fields.protocol;
  writeUint16(packet, IPV6_HEADER_BYTES + 2, offset | (isLast ? 0 : MORE_FRAGMENTS6));
  writeUint32(packet, IPV6_HEADER_BYTES + 4, id);
  packet.set(data, IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES);
  return packet;
}
