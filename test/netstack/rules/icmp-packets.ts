/** ICMP packets for tests, both families. Checksums are left out: the stacks of these tests do not verify them. */

const ROUTER4 = [10, 0, 0, 9];
const ROUTER6 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
const HEADER4 = 20;
const HEADER6 = 40;

export interface ErrorFields {
  readonly type: number;
  readonly code: number;
  /** The word behind the checksum: an MTU, or nothing. */
  readonly rest?: number;
}

/** A router's error about a packet, to the sender of that packet. */
export function errorAbout(packet: Uint8Array, { type, code, rest = 0 }: ErrorFields): Uint8Array {
  const isIpv4 = packet[0]! >> 4 === 4;
  const quoted = packet.subarray(0, isIpv4 ? HEADER4 + 8 : 1_232);
  const message = new Uint8Array(8 + quoted.length);
  message.set([type, code]);
  new DataView(message.buffer).setUint32(4, rest);
  message.set(quoted, 8);
  return isIpv4
    ? ipPacket(ROUTER4, [...packet.subarray(12, 16)], 1, message)
    : ipPacket(ROUTER6, [...packet.subarray(8, 24)], 58, message);
}

/** "Packet too big", with the MTU of the next hop. */
export function tooBig(packet: Uint8Array, mtu: number): Uint8Array {
  const isIpv4 = packet[0]! >> 4 === 4;
  return errorAbout(packet, isIpv4 ? { type: 3, code: 4, rest: mtu } : { type: 2, code: 0, rest: mtu });
}

/** A packet around a transport message; addresses of 4 or 16 bytes. */
export function ipPacket(
  source: readonly number[],
  destination: readonly number[],
  protocol: number,
  message: Uint8Array,
  fragment: { word: number; id: number } = { word: 0, id: 0 },
): Uint8Array {
  const isIpv4 = source.length === 4;
  const headerBytes = isIpv4 ? HEADER4 : HEADER6;
  const packet = new Uint8Array(headerBytes + message.length);
  const view = new DataView(packet.buffer);
  if (isIpv4) {
    packet.set([0x45, 0]);
    view.setUint16(2, packet.length);
    view.setUint16(4, fragment.id);
    view.setUint16(6, fragment.word);
    packet.set([64, protocol, 0, 0, ...source, ...destination], 8);
  } else {
    packet[0] = 0x60;
    view.setUint16(4, message.length);
    packet.set([protocol, 64, ...source, ...destination], 6);
  }
  packet.set(message, headerBytes);
  return packet;
}

/** A fragment of an IPv6 datagram. @param offset In bytes, a multiple of eight. */
export function fragment6(
  source: readonly number[],
  destination: readonly number[],
  protocol: number,
  part: Uint8Array,
  fragment: { offset: number; hasMore: boolean; id: number },
): Uint8Array {
  const message = new Uint8Array(8 + part.length);
  message[0] = protocol;
  const view = new DataView(message.buffer);
  view.setUint16(2, fragment.offset | (fragment.hasMore ? 1 : 0));
  view.setUint32(4, fragment.id);
  message.set(part, 8);
  return ipPacket(source, destination, 44, message);
}

/** Type and code of an ICMP packet, and what it quotes; `undefined` for any other packet. */
export function parseIcmp(packet: Uint8Array): { type: number; code: number; quoted: Uint8Array } | undefined {
  const isIpv4 = packet[0]! >> 4 === 4;
  if (packet[isIpv4 ? 9 : 6] !== (isIpv4 ? 1 : 58)) return undefined;
  const at = isIpv4 ? HEADER4 : HEADER6;
  return { type: packet[at]!, code: packet[at + 1]!, quoted: packet.subarray(at + 8) };
}
