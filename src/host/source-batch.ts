import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { Endpoint } from '../wire/endpoint.js';

/** A datagram that has arrived. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly trafficClass: number;
  readonly from: Endpoint;
}

/** Fills a batch from its start with rows from objects, for sources that have no columns. */
export class SourceBatch {
  readonly #batch: PacketBatch;

  /** Clears the batch. */
  constructor(batch: PacketBatch) {
    batch.clear();
    this.#batch = batch;
  }

  /** @returns `false` if there is no room left for the datagram. */
  append({ bytes, trafficClass, from }: Datagram): boolean {
    const row = this.#batch.appendRow(bytes.length);
    if (row < 0) return false;
    this.#batch.bytes.set(bytes, this.#batch.offset[row]!);
    this.#batch.trafficClass[row] = trafficClass;
    this.#batch.setEndpoint(row, from.words, 0);
    return true;
  }
}
