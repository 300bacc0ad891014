import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { ENDPOINT_WORDS } from '../../wire/endpoint.js';

/** Keeps the rows for which `isKept` holds, in their order. The bytes stay where they are. */
export function keepRows(batch: PacketBatch, isKept: (row: number) => boolean): void {
  let kept = 0;
  for (let row = 0; row < batch.count; row++) {
    if (!isKept(row)) continue;
    if (kept !== row) {
      batch.offset[kept] = batch.offset[row]!;
      batch.length[kept] = batch.length[row]!;
      batch.verdict[kept] = batch.verdict[row]!;
      batch.trafficClass[kept] = batch.trafficClass[row]!;
      batch.endpoint[kept] = batch.endpoint[row]!;
    }
    kept++;
  }
  batch.count = kept;
}

/** Adds a copy of a row's datagram for another address. @returns `false`: the batch is full. */
export function appendCopy(into: PacketBatch, from: PacketBatch, row: number, endpointWords: Int32Array): boolean {
  const [at, length] = [from.offset[row]!, from.length[row]!];
  const added = into.appendRow(length);
  if (added < 0) return false;
  into.bytes.set(from.bytes.subarray(at, at + length), into.offset[added]!);
  into.setEndpoint(added, endpointWords, 0);
  into.trafficClass[added] = from.trafficClass[row]!;
  return true;
}

/** Adds a datagram. @returns `false`: the batch is full. */
export function appendDatagram(into: PacketBatch, bytes: Uint8Array, endpointWords: Int32Array, at = 0): boolean {
  const added = into.appendRow(bytes.length);
  if (added < 0) return false;
  into.bytes.set(bytes, into.offset[added]!);
  into.setEndpoint(added, endpointWords, at);
  return true;
}

/** The word at which the endpoint record of a row begins. */
export function endpointAt(batch: PacketBatch, row: number): number {
  return batch.endpoint[row]! * ENDPOINT_WORDS;
}
