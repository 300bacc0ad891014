import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { DatagramSocket } from './datagram-socket.js';
import { ForwardingSocket } from './forwarding-socket.js';
import { filterRows, type RowFilters } from './row-filter.js';

/** A socket with filters, for STUN beside WireGuard, counters, captures and injected faults. */
export class FilteringSocket extends ForwardingSocket {
  readonly #filters: RowFilters;

  constructor(inner: DatagramSocket, filters: RowFilters) {
    super(inner);
    this.#filters = filters;
  }

  override receive(batch: PacketBatch): number {
    const rows = super.receive(batch);
    filterRows(this.#filters.inbound, batch, 0);
    return rows;
  }

  override send(batch: PacketBatch, from: number): number {
    filterRows(this.#filters.outbound, batch, from);
    return super.send(batch, from);
  }
}
