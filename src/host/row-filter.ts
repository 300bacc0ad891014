import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';

/** Returns `Pass` or the verdict of a dropped row. May be called again for a row that the socket had no room for. */
export type RowFilter = (batch: PacketBatch, row: number) => Verdict;

/** The filters of a wrapper by direction; an absent filter passes everything. */
export interface RowFilters {
  /** Filters traffic from the network: datagrams of the socket, or packets before they are written to the TUN. */
  readonly inbound?: RowFilter;
  /** Filters traffic to the network: packets from the TUN, or datagrams before they are sent. */
  readonly outbound?: RowFilter;
}

/** Applies a filter to the passing rows from `from` on. */
export function filterRows(filter: RowFilter | undefined, batch: PacketBatch, from: number): void {
  if (filter === undefined) return;
  for (let row = from; row < batch.count; row++)
    if (batch.verdict[row] === Verdict.Pass) batch.drop(row, filter(batch, row));
}
