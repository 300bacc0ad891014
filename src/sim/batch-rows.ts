import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { Datagram } from './datagram.js';

/** Fills a batch as a socket does. @returns How many datagrams it took. */
export function fillInbound(batch: PacketBatch, datagrams: readonly Datagram[], from: number): number {
  batch.clear();
  let at = 0;
  for (const { bytes, from: sender, to, trafficClass } of datagrams.slice(from, from + batch.capacity)) {
    if (at + bytes.length > batch.bytes.length) break;
    const row = batch.count++;
    batch.bytes.set(bytes, at);
    batch.offset[row] = at;
    batch.length[row] = bytes.length;
    batch.verdict[row] = Verdict.Pass;
    batch.trafficClass[row] = trafficClass;
    batch.setEndpoint(row, sender.toEndpoint(to.address).words, 0);
    at += bytes.length;
  }
  return batch.count;
}

/** Copies the packets of the rows that passed, in order. */
export function passedPackets(batch: PacketBatch): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let row = 0; row < batch.count; row++) {
    const at = batch.offset[row]!;
    const length = batch.length[row]!;
    if (batch.verdict[row] === Verdict.Pass && length > 0) packets.push(batch.bytes.slice(at, at + length));
  }
  return packets;
}
