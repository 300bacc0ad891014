/** The rules for packets that may share a super-packet, as a model for testing the addon's C. */
import { checksumAt, Flag, foldSum, load16, load32, onesSum, pseudoSum, TCP, UDP } from './inner-packet.js';

const MAX_TCP_SEGMENTS = 256;
const MAX_UDP_SEGMENTS = 64;
const MAX_BYTES = 65_535;

/** Which offloads the TUN has. */
export interface Mergeable {
  readonly tcp: boolean;
  readonly udp: boolean;
}

/** The packets between which order is kept: `undefined` if it cannot be told. */
export function addressesOf(packet: Uint8Array): string | undefined {
  if (packet[0]! >> 4 === 4 && packet.length >= 20) return `4 ${packet.subarray(12, 20).join()}`;
  if (packet[0]! >> 4 === 6 && packet.length >= 40) return `6 ${packet.subarray(8, 40).join()}`;
  return undefined;
}

/** Addresses and ports, for TCP and UDP in one piece right behind the IP header. */
export function flowOf(packet: Uint8Array): string | undefined {
  const addresses = addressesOf(packet);
  if (addresses === undefined) return undefined;
  const start = transportStart(packet);
  const protocol = protocolOf(packet);
  const isFragment = packet[0]! >> 4 === 4 && (load16(packet, 6) & 0x3fff) !== 0;
  if (isFragment || (protocol !== TCP && protocol !== UDP) || start < 20 || packet.length < start + 4) return undefined;
  return `${addresses} ${protocol} ${packet.subarray(start, start + 4).join()}`;
}

/** Groups of packets, each of which is to be written as one. */
export function merge(packets: readonly Uint8Array[], what: Mergeable): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  const open = new Map<string, Uint8Array[]>();
  for (const packet of packets) {
    const flow = flowOf(packet);
    if (flow === undefined || !isMergeable(packet, what)) {
      if (flow === undefined) closeAll(open, addressesOf(packet));
      else open.delete(flow);
      groups.push([packet]);
      continue;
    }
    const group = open.get(flow);
    if (group !== undefined && follows(group, packet)) {
      group.push(packet);
      continue;
    }
    const fresh = [packet];
    groups.push(fresh);
    open.set(flow, fresh);
  }
  return groups;
}

function closeAll(open: Map<string, unknown>, addresses: string | undefined): void {
  if (addresses === undefined) return;
  for (const flow of [...open.keys()]) if (flow.startsWith(`${addresses} `)) open.delete(flow);
}

/** The rules that concern one packet alone. */
function isMergeable(packet: Uint8Array, what: Mergeable): boolean {
  const start = transportStart(packet);
  const protocol = protocolOf(packet);
  if (packet[0]! >> 4 === 4) {
    const isPlainHeader = packet[0] === 0x45 && (packet[6]! & 0xbf) === 0 && packet[7] === 0;
    if (!isPlainHeader || load16(packet, 2) !== packet.length) return false;
    if (foldSum(onesSum(packet.subarray(0, 20))) !== 0xffff) return false;
  } else if (load16(packet, 4) + 40 !== packet.length) return false;
  if (payloadOf(packet).length === 0 || !hasRightChecksum(packet, start, protocol)) return false;
  if (protocol === UDP) return what.udp && load16(packet, start + 4) === packet.length - start;
  return what.tcp && (packet[start + 12]! & 15) === 0 && (packet[start + 13]! & ~Flag.Psh) === Flag.Ack;
}

function hasRightChecksum(packet: Uint8Array, start: number, protocol: number): boolean {
  if (protocol === UDP && load16(packet, start + checksumAt(UDP)) === 0) return false; // none at all
  const sum = onesSum(packet.subarray(start)) + pseudoSum(packet, protocol, packet.length - start);
  return foldSum(sum) === 0xffff;
}

/** The rules between a packet and those that are in the group already. */
function follows(group: readonly Uint8Array[], packet: Uint8Array): boolean {
  const first = group[0]!;
  const last = group.at(-1)!;
  const total = first.length + group.slice(1).reduce((sum, each) => sum + payloadOf(each).length, 0);
  const isLastFull = payloadOf(last).length === payloadOf(first).length;
  const most = protocolOf(packet) === TCP ? MAX_TCP_SEGMENTS : MAX_UDP_SEGMENTS;
  if (!isLastFull || payloadOf(packet).length > payloadOf(first).length || group.length === most) return false;
  if (total + payloadOf(packet).length > MAX_BYTES || !hasSameIpHeader(first, packet, group.length)) return false;
  return protocolOf(packet) === UDP || followsTcp(first, last, packet);
}

function hasSameIpHeader(first: Uint8Array, packet: Uint8Array, index: number): boolean {
  if (packet[0]! >> 4 === 6) return load32(first, 0) === load32(packet, 0) && first[7] === packet[7];
  const isSame = first[1] === packet[1] && first[6] === packet[6] && first[8] === packet[8];
  const isAtomic = (packet[6]! & 0x40) !== 0;
  return isSame && (isAtomic || load16(packet, 4) === ((load16(first, 4) + index) & 0xffff));
}

function followsTcp(first: Uint8Array, last: Uint8Array, packet: Uint8Array): boolean {
  const start = transportStart(packet);
  const headerOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(start, bytes.length - payloadOf(bytes).length);
  const [a, b] = [headerOf(first), headerOf(packet)];
  if ((headerOf(last)[13]! & Flag.Psh) !== 0 || a.length !== b.length) return false;
  const expected = (load32(headerOf(last), 4) + payloadOf(last).length) % 2 ** 32;
  const isSameAck = load32(a, 8) === load32(b, 8) && load16(a, 14) === load16(b, 14);
  return load32(b, 4) === expected && isSameAck && Buffer.compare(a.subarray(18), b.subarray(18)) === 0;
}

function protocolOf(packet: Uint8Array): number {
  return packet[0]! >> 4 === 4 ? packet[9]! : packet[6]!;
}

function transportStart(packet: Uint8Array): number {
  return packet[0]! >> 4 === 4 ? (packet[0]! & 15) * 4 : 40;
}

/** Empty where the transport header is not whole. */
function payloadOf(packet: Uint8Array): Uint8Array {
  const start = transportStart(packet);
  const headerBytes = protocolOf(packet) === TCP ? (packet[start + 12]! >> 4) * 4 : 8;
  const isWhole = packet.length >= start + (protocolOf(packet) === TCP ? 20 : 8) && headerBytes >= 8;
  return isWhole ? packet.subarray(start + headerBytes) : packet.subarray(packet.length);
}
