/** Whole packets of every protocol, with right checksums, for tests that then damage them. */

export type Family = 'IPv4' | 'IPv6';

export const TCP = 6;
export const UDP = 17;
export const ICMP = 1;
export const ICMPV6 = 58;
export const FRAGMENT = 44;

/** The stack, and its peer. */
export const HOST = {
  IPv4: Uint8Array.of(10, 0, 0, 2),
  IPv6: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
} as const;
export const PEER = {
  IPv4: Uint8Array.of(10, 0, 0, 1),
  IPv6: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
} as const;

export const HOST_PORT = 80;
export const PEER_PORT = 5_000;

/** An extension header of IPv6, or a fragment header. */
export interface Extension {
  readonly protocol: number;
  /** Everything but the first byte, which says what follows. */
  readonly rest: Uint8Array;
}

export function word(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export function half(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

/** @param options Of the IPv4 header, a multiple of four bytes. @param isReply From the stack to the peer. */
export function ipPacket(
  family: Family,
  protocol: number,
  payload: Uint8Array,
  more: { options?: Uint8Array; extensions?: readonly Extension[]; isReply?: boolean } = {},
): Uint8Array {
  const { options = new Uint8Array(0), extensions = [], isReply = false } = more;
  const [source, destination] = isReply ? [HOST[family], PEER[family]] : [PEER[family], HOST[family]];
  if (family === 'IPv4') {
    const headerBytes = 20 + options.length;
    const header = [0x40 | (headerBytes / 4), 0, ...half(headerBytes + payload.length), 0, 0, 0x40, 0, 64, protocol];
    const packet = Uint8Array.from([...header, 0, 0, ...source, ...destination, ...options, ...payload]);
    packet.set(half(checksum(packet.subarray(0, headerBytes))), 10);
    return packet;
  }
  const chain = extensions.flatMap(({ rest }, i) => [extensions[i + 1]?.protocol ?? protocol, ...rest]);
  const first = extensions[0]?.protocol ?? protocol;
  const header = [0x60, 0, 0, 0, ...half(chain.length + payload.length), first, 64];
  return Uint8Array.from([...header, ...source, ...destination, ...chain, ...payload]);
}

/** The Internet checksum (RFC 1071). */
export function checksum(...parts: readonly ArrayLike<number>[]): number {
  let sum = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (i + 1 < part.length ? part[i + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function pseudoHeader(family: Family, protocol: number, length: number): number[] {
  return [...PEER[family], ...HOST[family], ...word(length), 0, 0, 0, protocol];
}

export function tcpSegment(
  family: Family,
  { flags, options = [], data = [] }: { flags: number; options?: readonly number[]; data?: readonly number[] },
): Uint8Array {
  const headerBytes = 20 + options.length;
  const ports = [...half(PEER_PORT), ...half(HOST_PORT)];
  const numbers = [...word(0x1000), ...word(0x2000), (headerBytes / 4) << 4, flags, ...half(65_535)];
  const segment = Uint8Array.from([...ports, ...numbers, 0, 0, 0, 0, ...options, ...data]);
  segment.set(half(checksum(pseudoHeader(family, TCP, segment.length), segment)), 16);
  return segment;
}

export function udpDatagram(family: Family, data: readonly number[], port = HOST_PORT): Uint8Array {
  const length = 8 + data.length;
  const datagram = Uint8Array.from([...half(PEER_PORT), ...half(port), ...half(length), 0, 0, ...data]);
  datagram.set(half(checksum(pseudoHeader(family, UDP, length), datagram) || 0xffff), 6);
  return datagram;
}

export function icmpMessage(family: Family, type: number, code: number, body: ArrayLike<number>): Uint8Array {
  const message = Uint8Array.from([type, code, 0, 0, ...Array.from(body)]);
  const pseudo = family === 'IPv4' ? [] : pseudoHeader(family, ICMPV6, message.length);
  message.set(half(checksum(pseudo, message)), 2);
  return message;
}

export function icmpProtocol(family: Family): number {
  return family === 'IPv4' ? ICMP : ICMPV6;
}

/** "Port unreachable" about a packet that the stack sent. */
export function unreachable(family: Family, quoted: Uint8Array): Uint8Array {
  const [type, code] = family === 'IPv4' ? [3, 3] : [1, 4];
  return icmpMessage(family, type!, code!, [0, 0, 0, 0, ...quoted]);
}

const SYN_OPTIONS = [2, 4, 5, 0x64, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7];

/** A packet of each kind, by name. */
export function wholePackets(): readonly (readonly [name: string, packet: Uint8Array])[] {
  const destinationOptions = { protocol: 60, rest: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) };
  const hopByHop = { protocol: 0, rest: Uint8Array.of(1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
  const routing = { protocol: 43, rest: Uint8Array.of(0, 0, 0, 0, 0, 0, 0) };
  const atomic = { protocol: FRAGMENT, rest: Uint8Array.of(0, 0, 0, 0, 0, 0, 9) };
  const families = (['IPv4', 'IPv6'] as const).flatMap((family) => {
    const quoted = ipPacket(family, UDP, udpDatagram(family, [1, 2, 3, 4]), { isReply: true });
    return [
      [`SYN with options, ${family}`, ipPacket(family, TCP, tcpSegment(family, { flags: 2, options: SYN_OPTIONS }))],
      [`data, ${family}`, ipPacket(family, TCP, tcpSegment(family, { flags: 16, data: [1, 2, 3, 4, 5] }))],
      [`UDP, ${family}`, ipPacket(family, UDP, udpDatagram(family, [1, 2, 3, 4, 5]))],
      [
        `echo request, ${family}`,
        ipPacket(family, icmpProtocol(family), icmpMessage(family, family === 'IPv4' ? 8 : 128, 0, [0, 1, 0, 2, 7, 7])),
      ],
      [`ICMP error, ${family}`, ipPacket(family, icmpProtocol(family), unreachable(family, quoted))],
    ] as [string, Uint8Array][];
  });
  const udp6 = udpDatagram('IPv6', [9, 8, 7]);
  return [
    ...families,
    [
      'IPv4 options',
      ipPacket('IPv4', UDP, udpDatagram('IPv4', [1]), { options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0) }),
    ],
    ...[[destinationOptions], [hopByHop, routing], [hopByHop, destinationOptions, routing, atomic]].map(
      (extensions) => [`${extensions.length} extension headers`, ipPacket('IPv6', UDP, udp6, { extensions })] as const,
    ),
  ];
}
