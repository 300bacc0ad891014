import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { Endpoint } from '../wire/endpoint.js';

/** Both UDP sockets of a device, IPv4 and IPv6, on one port. */
export interface DatagramSocket {
  /** The port that both are bound to. */
  readonly port: number;

  /** Called when datagrams wait, repeatedly until `receive` returns 0. */
  onReadable: () => void;
  /**
   * Called from within `send` after the system refused the source address of a record, with the record as it was. The
   * batch's own copy is already cleared; other copies of the source must be cleared here. Absent: the socket has
   * no sources.
   */
  onSourceRefused?: (endpoint: Endpoint) => void;
  /** Called once there is room again, after `send` could not send everything. */
  onWritable: () => void;

  /**
   * Fills `batch` from its start with the datagrams that wait, oldest first, and returns without waiting.
   *
   * Writes `count`, `endpointCount`, and per row `offset`, `length` (bytes, 0–65,535), `trafficClass`,
   * `endpoint` and verdict `Pass`. A datagram that came merged by GRO is already cut into rows.
   *
   * @returns Number of rows filled. 0 means: wait for `onReadable`. Errors of a single datagram
   *   (such as an ICMP answer to an earlier send) are counted in `stats`, not thrown.
   *
   * Source: recvmmsg(2), udp(7) UDP_GRO.
   */
  receive(batch: PacketBatch): number;

  /**
   * Sends the rows with verdict `Pass`, in order, from row `from` on. Rows of equal size to one endpoint may
   * leave as one call. A source address that has vanished is cleared, and the row is sent without a source.
   *
   * @returns The row to continue with once `onWritable` was called; `batch.count` if all are sent.
   */
  send(batch: PacketBatch, from: number): number;

  /** Sets SO_MARK on both sockets; 0 clears it. @throws {WireGuardError} ERR_SOCKET_MARK */
  setMark(mark: number): void;

  readonly stats: DatagramSocketStats;

  close(): void;
}

export interface DatagramSocketStats {
  /** Datagrams that the system refused to send, by the name of the errno. */
  readonly sendErrors: ReadonlyMap<string, number>;
  readonly receiveErrors: ReadonlyMap<string, number>;
}
