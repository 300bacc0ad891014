import {
  type Addon,
  ERROR_COUNTERS,
  MORE_WAITS,
  type NativeUdp,
  ROWS_MASK,
  UDP_NO_IPV4,
  UDP_NO_IPV6,
  UDP_OFFLOAD_RECEIVE,
  UDP_OFFLOAD_SEND,
  WATCH_READABLE,
  WATCH_WRITABLE,
} from '../addon/interface.js';
import { NativeBatches } from '../addon/native-batches.js';
import { WireGuardError } from '../core/errors.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Endpoint, type IpFamily } from '../wire/endpoint.js';
import type { DatagramSocket, DatagramSocketStats } from './datagram-socket.js';
import { countersByErrno, Errno, errnoName } from './errno.js';
import { portHolder } from './port-holder.js';

export interface NativeSocketOptions {
  /** SO_MARK from the first datagram on; 0: none. */
  readonly mark?: number;
  /** UDP_SEGMENT where the kernel accepts it. Default: on. */
  readonly sendOffload?: boolean;
  /** UDP_GRO where the kernel accepts it. Default: on. */
  readonly receiveOffload?: boolean;
  /** The only family to use, as on a system that lacks the other. Default: both. */
  readonly family?: IpFamily;
}

/** The UDP sockets of a device over the addon. */
export class NativeSocket implements DatagramSocket {
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;
  onSourceRefused: (endpoint: Endpoint) => void = nothing;

  readonly port: number;
  readonly #addon: Addon;
  readonly #udp: NativeUdp;
  readonly #batches: NativeBatches;
  readonly #errors: Uint32Array;
  readonly #refused: Endpoint;
  #isAnnounced = false;
  #isClosed = false;

  /** @param port 0: any port that is free in both families. @throws {WireGuardError} ERR_PORT_IN_USE, ERR_PORT_PERMISSION, ERR_SOCKET_MARK, ERR_SOCKET_REFUSED */
  static open(addon: Addon, port: number, options: NativeSocketOptions = {}): NativeSocket {
    const errors = new Uint32Array(2 * ERROR_COUNTERS);
    const refused = new Endpoint();
    const udp = addon.udpOpen(port, flagsOf(options), errors, refused.bytes);
    if (typeof udp === 'number') throw openError(port, -udp);

    const socket = new NativeSocket(addon, udp, errors, refused);
    try {
      if (options.mark) socket.setMark(options.mark);
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  private constructor(addon: Addon, udp: NativeUdp, errors: Uint32Array, refused: Endpoint) {
    this.#addon = addon;
    this.#udp = udp;
    this.#batches = new NativeBatches(addon);
    this.#errors = errors;
    this.#refused = refused;
    this.port = addon.udpPort(udp);
    addon.watch(udp, (events) => this.#handle(events));
  }

  receive(batch: PacketBatch): number {
    const result = this.#addon.udpReceive(this.#udp, this.#batches.of(batch));
    const rows = Math.max(result, 0) & ROWS_MASK;
    batch.count = rows;
    batch.endpointCount = rows === 0 ? 0 : batch.endpoint[rows - 1]! + 1;
    if (result > 0 && (result & MORE_WAITS) !== 0) this.#announce();
    return rows;
  }

  send(batch: PacketBatch, from: number): number {
    const next = this.#addon.udpSend(this.#udp, this.#batches.of(batch), from, batch.count);
    if (this.#refused.hasSource) {
      this.onSourceRefused(this.#refused.clone());
      this.#refused.clearSource();
    }
    return next < 0 ? batch.count : next;
  }

  setMark(mark: number): void {
    const result = this.#addon.udpSetMark(this.#udp, mark);
    if (result < 0)
      throw new WireGuardError('ERR_SOCKET_MARK', `The firewall mark was refused: ${errnoName(-result)}.`);
  }

  get stats(): DatagramSocketStats {
    return {
      sendErrors: countersByErrno(this.#errors.subarray(0, ERROR_COUNTERS)),
      receiveErrors: countersByErrno(this.#errors.subarray(ERROR_COUNTERS)),
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#addon.close(this.#udp);
  }

  /** Announces the datagrams in the addon, for which there is no event of the system. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      if (!this.#isClosed) this.onReadable();
    });
  }

  #handle(events: number): void {
    if ((events & WATCH_WRITABLE) !== 0) this.onWritable();
    if ((events & WATCH_READABLE) !== 0 && !this.#isClosed) this.onReadable();
  }
}

function nothing(): void {}

function flagsOf(options: NativeSocketOptions): number {
  return (
    ((options.sendOffload ?? true) ? UDP_OFFLOAD_SEND : 0) |
    ((options.receiveOffload ?? true) ? UDP_OFFLOAD_RECEIVE : 0) |
    (options.family === 4 ? UDP_NO_IPV6 : 0) |
    (options.family === 6 ? UDP_NO_IPV4 : 0)
  );
}

function openError(port: number, errno: number): WireGuardError {
  if (errno === Errno.EADDRINUSE) return portInUse(port);
  if (errno === Errno.EACCES)
    return new WireGuardError('ERR_PORT_PERMISSION', `UDP port ${port} may not be used by this user.`);
  return new WireGuardError('ERR_SOCKET_REFUSED', `UDP port ${port} could not be opened: ${errnoName(errno)}.`);
}

function portInUse(port: number): WireGuardError {
  if (port === 0) return new WireGuardError('ERR_PORT_IN_USE', 'No UDP port is free in both IPv4 and IPv6.');
  const holder = portHolder(port);
  return new WireGuardError(
    'ERR_PORT_IN_USE',
    `UDP port ${port} is in use${holder === undefined ? '' : ` by ${holder}`}.`,
  );
}
