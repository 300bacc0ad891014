/** Builds IP packets for tests, with right checksums, from nothing but the RFCs. */

export interface PacketFields {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly payload?: Uint8Array;
  readonly trafficClass?: number;
  /** IPv4 only: the word with flags and fragment offset. */
  readonly fragment?: number;
  /** IPv4 only: whole options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
}

/** RFC 791 §3.1 or RFC 8200 §3, by the length of the source address. */
export function ipPacket(fields: PacketFields): Uint8Array {
  return fields.source.length === 4 ? ipv4Packet(fields) : ipv6Packet(fields);
}

function ipv4Packet(fields: PacketFields): Uint8Array {
  const { source, destination, protocol, payload = EMPTY, trafficClass = 0, fragment = 0, options = EMPTY } = fields;
  const headerBytes = 20 + options.length;
  const packet = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(packet.buffer);
  packet[0] = 0x40 | (headerBytes / 4);
  packet[1] = trafficClass;
  view.setUint16(2, packet.length);
  view.setUint16(6, fragment);
  packet[8] = 64;
  packet[9] = protocol;
  packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(options, 20);
  packet.set(payload, headerBytes);
  view.setUint16(10, internetChecksum(packet.subarray(0, headerBytes)));
  return packet;
}

function ipv6Packet(fields: PacketFields): Uint8Array {
  const { source, destination, protocol, payload = EMPTY, trafficClass = 0 } = fields;
  const packet = new Uint8Array(40 + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint32(0, 0x6000_0000 | (trafficClass << 20) | 0x0a_bcde);
  view.setUint16(4, payload.length);
  packet[6] = protocol;
  packet[7] = 64;
  packet.set(source, 8);
  packet.set(destination, 24);
  packet.set(payload, 40);
  return packet;
}

/** RFC 768, without a checksum. */
export function udpDatagram(sourcePort: number, destinationPort: number, payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, datagram.length);
  datagram.set(payload, 8);
  return datagram;
}

/** RFC 1071. Over data that includes its right checksum it is 0. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i++) {
      sum += i % 2 === 0 ? part[i] << 8 : part[i];
      if (sum > 0xffff) sum -= 0xffff;
    }
  return sum ^ 0xffff;
}

const EMPTY = new Uint8Array(0);
