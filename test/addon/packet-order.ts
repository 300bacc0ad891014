/** Rules for equal packets, and for the order of packets. */
import assert from 'node:assert/strict';

import { foldSum, load16, onesSum, store16, TCP } from './inner-packet.js';
import { addressesOf, flowOf } from './merge-model.js';

/**
 * Asserts that every packet arrived once and unchanged, in order within its flow, and that none overtook a fragment
 * between its addresses.
 */
export function assertSamePackets(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  for (const flow of new Set([...expected, ...actual].map(flowOf)))
    if (flow !== undefined) assert.deepEqual(ofFlow(actual, flow), ofFlow(expected, flow), `flow ${flow}`);
  for (const addresses of new Set([...expected, ...actual].map(addressesOf)))
    if (addresses !== undefined)
      assert.deepEqual(betweenBarriers(actual, addresses), betweenBarriers(expected, addresses), addresses);
  assert.deepEqual(actual.map(normalText).sort(), expected.map(normalText).sort());
}

/**
 * Returns the packet in hexadecimal, without fields that have no meaning: the identification of an IPv4 packet with DF
 * (RFC 6864 §4.1), and
 * which of the two zeros the checksum of TCP is (RFC 1071 §2).
 */
export function normalText(packet: Uint8Array): string {
  const normal = packet.slice();
  if (isAtomic(packet)) {
    store16(normal, 4, 0);
    store16(normal, 10, 0);
  }
  const field = tcpChecksumAt(packet);
  if (field !== undefined && load16(packet, field) === 0xffff) store16(normal, field, 0);
  return Buffer.from(normal).toString('hex');
}

function ofFlow(packets: readonly Uint8Array[], flow: string): string[] {
  return packets.filter((packet) => flowOf(packet) === flow).map(normalText);
}

/** The packets between two addresses, as sets that packets without ports (fragments, say) divide. */
function betweenBarriers(packets: readonly Uint8Array[], addresses: string): string[][] {
  const sets: string[][] = [[]];
  for (const packet of packets) {
    if (addressesOf(packet) !== addresses) continue;
    if (flowOf(packet) === undefined) sets.push([normalText(packet)], []);
    else sets.at(-1)!.push(normalText(packet));
  }
  return sets.map((set) => set.sort());
}

function isAtomic(packet: Uint8Array): boolean {
  const isPlain = packet[0] === 0x45 && packet.length >= 20 && packet[6] === 0x40 && packet[7] === 0;
  return isPlain && foldSum(onesSum(packet.subarray(0, 20))) === 0xffff;
}

/** The place of the checksum of TCP directly behind an IP header without options. */
function tcpChecksumAt(packet: Uint8Array): number | undefined {
  const isIpv4 = packet[0] === 0x45;
  const start = isIpv4 ? 20 : 40;
  const isTcp = isIpv4 ? packet[9] === TCP : packet[0]! >> 4 === 6 && packet[6] === TCP;
  return isTcp && flowOf(packet) !== undefined && packet.length >= start + 18 ? start + 16 : undefined;
}
