import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { DatagramSocket } from './datagram-socket.js';

/** A sealed batch that is being sent: rows that the socket has no room for wait in the batch. */
export class DepartingBatch {
  readonly batch: PacketBatch;
  #nextRow = 0;
  #isWaiting = false;

  constructor(batch: PacketBatch) {
    this.batch = batch;
  }

  /** Whether rows wait for room in the socket. The batch must not be filled again before they have left. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Sends all rows, or the waiting rows. @returns Whether all rows have left. */
  send(socket: DatagramSocket): boolean {
    this.#nextRow = socket.send(this.batch, this.#isWaiting ? this.#nextRow : 0);
    this.#isWaiting = this.#nextRow < this.batch.count;
    return !this.#isWaiting;
  }

  /** Drops the waiting rows. */
  giveUp(): void {
    this.#isWaiting = false;
  }
}
