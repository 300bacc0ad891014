/** TCP and UDP packets with every field in the test's hands, built the slow and obvious way. */

export const TCP = 6;
export const UDP = 17;

export const Flag = { Fin: 0x01, Syn: 0x02, Psh: 0x08, Ack: 0x10, Urg: 0x20, Ece: 0x40, Cwr: 0x80 } as const;

export interface InnerPacketFields {
  readonly version: 4 | 6;
  readonly protocol: typeof TCP | typeof UDP;
  readonly payload: Uint8Array;
  /** Last byte of the source address. */
  readonly host?: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Addresses that replace the generated ones of `host`: 4 or 16 bytes each. */
  readonly addresses?: readonly [source: Uint8Array, destination: Uint8Array];
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  readonly flags?: number;
  /** TCP options, a multiple of 4 bytes. */
  readonly options?: Uint8Array;
  readonly urgentPointer?: number;
  readonly trafficClass?: number;
  readonly hopLimit?: number;
  readonly identification?: number;
  readonly isDontFragment?: boolean;
  /** IPv4: in units of 8 bytes. IPv6: the packet gets a fragment header. */
  readonly fragmentOffset?: number;
  readonly flowLabel?: number;
  /** IPv4 options, a multiple of 4 bytes; IPv6: a destination options header, a multiple of 8. */
  readonly extension?: Uint8Array;
  /** Added to the right checksum of TCP or UDP. */
  readonly checksumError?: number;
  /** Writes 0 for the checksum: none, for UDP. */
  readonly hasNoChecksum?: boolean;
}

const IPV6_DESTINATION_OPTIONS = 60;
const IPV6_FRAGMENT = 44;

export function innerPacket(fields: InnerPacketFields): Uint8Array {
  const transport = transportBytes(fields);
  const packet = fields.version === 4 ? ipv4Packet(fields, transport) : ipv6Packet(fields, transport);
  const at = packet.length - transport.length + checksumAt(fields.protocol);
  const sum =
    onesSum(packet.subarray(packet.length - transport.length)) + pseudoSum(packet, fields.protocol, transport.length);
  const right = ~foldSum(sum) & 0xffff;
  const field = ((right === 0 ? 0xffff : right) + (fields.checksumError ?? 0)) & 0xffff;
  store16(packet, at, fields.hasNoChecksum === true ? 0 : field);
  return packet;
}

/** Where the transport header begins, for packets of `innerPacket`. */
export function transportAt(packet: Uint8Array): number {
  if (packet[0]! >> 4 === 4) return (packet[0]! & 15) * 4;
  const next = packet[6]!;
  return next === TCP || next === UDP ? 40 : 40 + 8 * (1 + packet[41]!);
}

export function checksumAt(protocol: number): number {
  return protocol === TCP ? 16 : 6;
}

export function onesSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  return sum;
}

export function foldSum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** Source: RFC 9293 §3.1, RFC 8200 §8.1. */
export function pseudoSum(packet: Uint8Array, protocol: number, length: number): number {
  return onesSum(packet[0]! >> 4 === 4 ? packet.subarray(12, 20) : packet.subarray(8, 40)) + protocol + length;
}

export function load16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function store16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function load32(bytes: Uint8Array, at: number): number {
  return load16(bytes, at) * 0x1_0000 + load16(bytes, at + 2);
}

export function store32(bytes: Uint8Array, at: number, value: number): void {
  store16(bytes, at, (value >>> 16) & 0xffff);
  store16(bytes, at + 2, value & 0xffff);
}

function transportBytes(fields: InnerPacketFields): Uint8Array {
  return fields.protocol === TCP ? tcpBytes(fields) : udpBytes(fields);
}

function tcpBytes(fields: InnerPacketFields): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const bytes = new Uint8Array(20 + options.length + fields.payload.length);
  store16(bytes, 0, fields.sourcePort ?? 5_001);
  store16(bytes, 2, fields.destinationPort ?? 80);
  store32(bytes, 4, fields.sequence ?? 0);
  store32(bytes, 8, fields.acknowledgement ?? 77);
  bytes[12] = (5 + options.length / 4) << 4;
  bytes[13] = fields.flags ?? Flag.Ack;
  store16(bytes, 14, fields.window ?? 512);
  store16(bytes, 18, fields.urgentPointer ?? 0);
  bytes.set(options, 20);
  bytes.set(fields.payload, 20 + options.length);
  return bytes;
}

function udpBytes(fields: InnerPacketFields): Uint8Array {
  const bytes = new Uint8Array(8 + fields.payload.length);
  store16(bytes, 0, fields.sourcePort ?? 5_001);
  store16(bytes, 2, fields.destinationPort ?? 53);
  store16(bytes, 4, bytes.length & 0xffff);
  bytes.set(fields.payload, 8);
  return bytes;
}

function ipv4Packet(fields: InnerPacketFields, transport: Uint8Array): Uint8Array {
  const options = fields.extension ?? new Uint8Array(0);
  const headerBytes = 20 + options.length;
  const packet = new Uint8Array(headerBytes + transport.length);
  packet[0] = 0x40 | (headerBytes / 4);
  packet[1] = fields.trafficClass ?? 0;
  store16(packet, 2, packet.length);
  store16(packet, 4, fields.identification ?? 0);
  store16(packet, 6, ((fields.isDontFragment ?? true) ? 0x4000 : 0) | (fields.fragmentOffset ?? 0));
  packet[8] = fields.hopLimit ?? 64;
  packet[9] = fields.protocol;
  const [source, destination] = addressesOf(fields);
  packet.set(source, 12);
  packet.set(destination, 16);
  packet.set(options, 20);
  store16(packet, 10, ~foldSum(onesSum(packet.subarray(0, headerBytes))) & 0xffff);
  packet.set(transport, headerBytes);
  return packet;
}

function ipv6Packet(fields: InnerPacketFields, transport: Uint8Array): Uint8Array {
  const extension = extensionOf(fields);
  const packet = new Uint8Array(40 + extension.length + transport.length);
  const trafficClass = fields.trafficClass ?? 0;
  const flowLabel = fields.flowLabel ?? 0;
  store32(packet, 0, 0x6000_0000 + trafficClass * 2 ** 20 + flowLabel);
  store16(packet, 4, packet.length - 40);
  packet[6] = nextHeader(fields);
  packet[7] = fields.hopLimit ?? 64;
  const [source, destination] = addressesOf(fields);
  packet.set(source, 8);
  packet.set(destination, 24);
  packet.set(extension, 40);
  packet.set(transport, 40 + extension.length);
  return packet;
}

function addressesOf({ version, host = 1, addresses }: InnerPacketFields): readonly [Uint8Array, Uint8Array] {
  const last = (byte: number): Uint8Array =>
    version === 4 ? Uint8Array.of(10, 0, 0, byte) : Uint8Array.of(0xfd, ...new Array(14).fill(0), byte);
  return addresses ?? [last(host), last(200)];
}

function nextHeader(fields: InnerPacketFields): number {
  if (fields.fragmentOffset !== undefined) return IPV6_FRAGMENT;
  return fields.extension === undefined ? fields.protocol : IPV6_DESTINATION_OPTIONS;
}

function extensionOf(fields: InnerPacketFields): Uint8Array {
  if (fields.fragmentOffset !== undefined)
    return Uint8Array.of(
      fields.protocol,
      0,
      fields.fragmentOffset >> 5,
      (fields.fragmentOffset << 3) & 0xff,
      0,
      0,
      0,
      9,
    );
  if (fields.extension === undefined) return new Uint8Array(0);
  const header = fields.extension.slice();
  header[0] = fields.protocol;
  header[1] = header.length / 8 - 1;
  return header;
}
