import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { DatagramSocket, DatagramSocketStats } from './datagram-socket.js';

/** Passes every call on to another socket: the base of sockets that change one thing. */
export class ForwardingSocket implements DatagramSocket {
  readonly #inner: DatagramSocket;

  constructor(inner: DatagramSocket) {
    this.#inner = inner;
  }

  get port(): number {
    return this.#inner.port;
  }

  get stats(): DatagramSocketStats {
    return this.#inner.stats;
  }

  set onReadable(listener: () => void) {
    this.#inner.onReadable = listener;
  }

  set onWritable(listener: () => void) {
    this.#inner.onWritable = listener;
  }

  receive(batch: PacketBatch): number {
    return this.#inner.receive(batch);
  }

  send(batch: PacketBatch, from: number): number {
    return this.#inner.send(batch, from);
  }

  setMark(mark: number): void {
    this.#inner.setMark(mark);
  }

  close(): void {
    this.#inner.close();
  }
}
