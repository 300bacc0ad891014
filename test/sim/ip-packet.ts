import { addressBytes } from '../../src/sim/socket-address.js';

export interface IpPacketFields {
  readonly source: string;
  readonly destination: string;
  readonly payload?: Uint8Array;
  /** The TOS byte or traffic class. */
  readonly trafficClass?: number;
  /** IPv4 protocol, IPv6 next header. */
  readonly protocol?: number;
}

export interface UdpFields {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const EXPERIMENTAL_PROTOCOL = 253;
const UDP = 17;
const NOTHING = new Uint8Array(0);

/** Makes an IPv4 or IPv6 packet, as the addresses ask for; both have to be of one family. */
export function ipPacket(fields: IpPacketFields): Uint8Array {
  return fields.source.includes(':') ? ipv6Packet(fields) : ipv4Packet(fields);
}

/** Makes a UDP packet. Its UDP checksum is left out, as IPv4 allows. */
export function udpPacket(fields: UdpFields): Uint8Array {
  const datagram = new Uint8Array(8 + fields.payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, fields.sourcePort);
  view.setUint16(2, fields.destinationPort);
  view.setUint16(4, datagram.length);
  datagram.set(fields.payload, 8);
  return ipPacket({ source: fields.source, destination: fields.destination, payload: datagram, protocol: UDP });
}

/** The content of a packet, for comparisons in tests. */
export function packetPayload(packet: Uint8Array): Uint8Array {
  return packet.subarray(packet[0]! >> 4 === 4 ? 4 * (packet[0]! & 0x0f) : 40);
}

/** The TOS byte or traffic class. */
export function packetTrafficClass(packet: Uint8Array): number {
  return packet[0]! >> 4 === 4 ? packet[1]! : ((packet[0]! & 0x0f) << 4) | (packet[1]! >> 4);
}

/** Source: RFC 1071. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Source: RFC 791 §3.1. */
function ipv4Packet(fields: IpPacketFields): Uint8Array {
  const { payload = NOTHING, trafficClass = 0, protocol = EXPERIMENTAL_PROTOCOL } = fields;
  const packet = new Uint8Array(20 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = trafficClass;
  view.setUint16(2, packet.length);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(addressBytes(fields.source), 12);
  packet.set(addressBytes(fields.destination), 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  packet.set(payload, 20);
  return packet;
}

/** Source: RFC 8200 §3. */
function ipv6Packet(fields: IpPacketFields): Uint8Array {
  const { payload = NOTHING, trafficClass = 0, protocol = EXPERIMENTAL_PROTOCOL } = fields;
  const packet = new Uint8Array(40 + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x60 | (trafficClass >> 4);
  packet[1] = trafficClass << 4;
  view.setUint16(4, payload.length);
  packet[6] = protocol;
  packet[7] = 64;
  packet.set(addressBytes(fields.source), 8);
  packet.set(addressBytes(fields.destination), 24);
  packet.set(payload, 40);
  return packet;
}
