import { WireGuardError } from '../../src/core/errors.js';
import type { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { DatagramSocket } from '../../src/host/datagram-socket.js';
import type { Endpoint } from '../../src/wire/endpoint.js';

/** A mark that the fake socket refuses, after it took it: as of two sockets the second one might. */
export const REFUSED_MARK = 666;

/** A socket that knows its port, its mark and whether it is open. It sends `room` rows and then has no more room. */
export class FakeSocket implements DatagramSocket {
  onReadable = () => {};
  onWritable = () => {};
  onSourceRefused?: (endpoint: Endpoint) => void;
  readonly stats = { sendErrors: new Map(), receiveErrors: new Map() };
  readonly port: number;
  mark: number;
  isClosed = false;
  /** Rows that are sent before the socket is full. */
  room = Infinity;
  /** First bytes of the messages that were sent: their types. */
  readonly sent: number[] = [];

  constructor(port: number, mark = 0) {
    this.port = port;
    this.mark = mark;
  }

  receive = () => 0;

  send(batch: PacketBatch, from: number): number {
    let row = from;
    for (; row < batch.count && this.room > 0; row++, this.room--) this.sent.push(batch.bytes[batch.offset[row]]);
    return row;
  }

  setMark(mark: number): void {
    this.mark = mark;
    if (mark === REFUSED_MARK) throw new WireGuardError('ERR_SOCKET_MARK', 'refused');
  }

  close(): void {
    this.isClosed = true;
  }
}
