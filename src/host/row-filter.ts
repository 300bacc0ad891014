import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';

/** Judges one row: `Pass`, or why it is dropped. A row may be judged again when the socket had no room for it. */
export type RowFilter = (batch: PacketBatch, row: number) => Verdict;

/** What a wrapper asks for each direction; an absent filter passes everything. */
export interface RowFilters {
  /** From the network: datagrams of the socket, or packets that are about to be written to the TUN. */
  readonly inbound?: RowFilter;
  /** To the network: packets that the TUN gave, or datagrams that are about to be sent. */
  readonly outbound?: RowFilter;
}

/** Applies a filter to the rows from `from` on that pass so far. */
export function filterRows(filter: RowFilter | undefined, batch: PacketBatch, from: number): void {
  if (filter === undefined) return;
  for (let row = from; row < batch.count; row++)
    if (batch.verdict[row] === Verdict.Pass) batch.drop(row, filter(batch, row));
}
