import type { PacketBatch } from '../core/packets/packet-batch.js';
import { ForwardingTun } from './forwarding-tun.js';
import { filterRows, type RowFilters } from './row-filter.js';
import type { Tun } from './tun.js';

/** A TUN with filters, for access rules, quotas, counters and captures. */
export class FilteringTun extends ForwardingTun {
  readonly #filters: RowFilters;

  constructor(inner: Tun, filters: RowFilters) {
    super(inner);
    this.#filters = filters;
  }

  override read(batch: PacketBatch): number {
    const rows = super.read(batch);
    filterRows(this.#filters.outbound, batch, 0);
    return rows;
  }

  override write(batch: PacketBatch): void {
    filterRows(this.#filters.inbound, batch, 0);
    super.write(batch);
  }
}
