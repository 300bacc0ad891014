import type { PacketBatch } from '../../core/packets/packet-batch.js';

/** Whole packets that wait for the next batch, oldest first. The newest is dropped when there are too many. */
export class PacketQueue {
  readonly #packets: Uint8Array[] = [];
  readonly #maxBytes: number;
  #bytes = 0;
  dropped = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#packets.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns `false` if the packet was dropped. */
  push(packet: Uint8Array): boolean {
    if (this.#bytes + packet.length > this.#maxBytes) {
      this.dropped++;
      return false;
    }
    this.#packets.push(packet);
    this.#bytes += packet.length;
    return true;
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch): boolean {
    for (let packet = this.#packets[0]; packet !== undefined; packet = this.#packets[0]) {
      const row = batch.appendRow(packet.length);
      if (row < 0) return false;
      batch.bytes.set(packet, batch.offset[row]);
      this.#packets.shift();
      this.#bytes -= packet.length;
    }
    return true;
  }
}
