import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import type { Clock } from '../host/clock.js';
import type { DatagramSocket, DatagramSocketStats } from '../host/datagram-socket.js';
import { ENDPOINT_BYTES } from '../wire/endpoint.js';
import { fillInbound } from './batch-rows.js';
import type { Datagram } from './datagram.js';
import type { Host } from './host.js';
import { recordSource, SocketAddress } from './socket-address.js';

/** A UDP socket of a simulated host, for a loop that runs in the simulation. */
export class HostSocket implements DatagramSocket {
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  readonly port: number;
  readonly stats: DatagramSocketStats = { sendErrors: new Map(), receiveErrors: new Map() };
  /** Datagrams that can be sent before the socket is full. Tests raise the number and call `onWritable`. */
  room = Infinity;
  /** The last mark that was set. It has no effect. */
  mark = 0;
  readonly #host: Host;
  readonly #clock: Clock;
  #waiting: Datagram[] = [];

  /** @throws {RangeError} if the port is in use. */
  constructor(host: Host, clock: Clock, port: number) {
    this.#host = host;
    this.#clock = clock;
    this.port = port;
    host.listen(port, (datagram) => this.#arrived(datagram));
  }

  receive(batch: PacketBatch): number {
    const taken = fillInbound(batch, this.#waiting, 0);
    this.#waiting.splice(0, taken);
    if (this.#waiting.length > 0) this.#announce();
    return taken;
  }

  send(batch: PacketBatch, from: number): number {
    for (let row = from; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      if (this.room === 0) return row;
      this.room--;
      this.#sendRow(batch, row);
    }
    return batch.count;
  }

  setMark(mark: number): void {
    this.mark = mark;
  }

  close(): void {
    this.#host.close(this.port);
    this.#waiting = [];
    this.onReadable = () => {};
  }

  #sendRow(batch: PacketBatch, row: number): void {
    const at = batch.offset[row];
    const recordAt = batch.endpoint[row] * ENDPOINT_BYTES;
    this.#host.send({
      port: this.port,
      to: SocketAddress.fromRecord(batch.endpointBytes, recordAt),
      bytes: batch.bytes.slice(at, at + batch.length[row]),
      trafficClass: batch.trafficClass[row],
      source: recordSource(batch.endpointBytes, recordAt),
    });
  }

  #arrived(datagram: Datagram): void {
    this.#waiting.push(datagram);
    if (this.#waiting.length === 1) this.#announce();
  }

  #announce(): void {
    this.#clock.callSoon(() => {
      if (this.#waiting.length > 0) this.onReadable();
    });
  }
}
