import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';

import { WireGuardError } from '../core/errors.js';
import type { PacketBatch } from '../core/packets/packet-batch.js';
import { Verdict } from '../core/packets/verdict.js';
import {
  copyEndpoint,
  ENDPOINT_WORDS,
  Endpoint,
  type EndpointFamily,
  type IpFamily,
  remoteEquals,
} from '../wire/endpoint.js';
import { addressBytes, addressText, zoneIndex } from './address-text.js';
import type { DatagramSocket, DatagramSocketStats } from './datagram-socket.js';
import { type Datagram, SourceBatch } from './source-batch.js';

export interface DgramSocketOptions {
  /** The only family to use. Default: both, or the single family that the system has. */
  readonly family?: IpFamily;
}

/** Limits on the datagrams that wait for `receive`; more are dropped, as in the system's own buffer. */
const MAX_WAITING_DATAGRAMS = 4_096;
const MAX_WAITING_BYTES = 8 << 20;
/** Datagrams that Node has accepted but not sent; `send` stops at this number. */
const MAX_UNSENT_DATAGRAMS = 1_024;
/** The requested size, which the system caps at its limits. */
const BUFFER_BYTES = 7 << 20;
const PORT_TRIES = 100;
const MISSING_FAMILY: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Where datagrams go, in the form that Node takes. */
interface Destination {
  readonly endpoint: Endpoint;
  readonly address: string;
}

/**
 * The UDP sockets of a device over `node:dgram`, for systems without the addon.
 *
 * The sockets have no source addresses, no traffic class and no firewall mark, which Node does not offer.
 */
export class DgramSocket implements DatagramSocket {
  onReadable: () => void = nothing;
  onWritable: () => void = nothing;

  readonly port: number;
  readonly #sockets: ReadonlyMap<EndpointFamily, Socket>;
  readonly #waiting: Datagram[] = [];
  #waitingBytes = 0;
  /** The last destination: consecutive rows mostly go to one peer. Names of zones change, so zones are looked up anew. */
  #destination: Destination = { endpoint: new Endpoint(), address: '' };
  readonly #sendErrors = new Map<string, number>();
  readonly #receiveErrors = new Map<string, number>();
  #unsent = 0;
  #isBlocked = false;
  #isAnnounced = false;
  #isClosed = false;

  /** @param port 0: any port that is free in both families. @throws {WireGuardError} ERR_PORT_IN_USE, ERR_PORT_PERMISSION, ERR_SOCKET_REFUSED */
  static async open(port: number, options: DgramSocketOptions = {}): Promise<DgramSocket> {
    const families: readonly IpFamily[] = options.family === undefined ? [4, 6] : [options.family];
    for (let tries = 1; ; tries++) {
      try {
        return new DgramSocket(await bindFamilies(families, port));
      } catch (cause) {
        const isTaken = codeOf(cause) === 'EADDRINUSE';
        if (!isTaken || port !== 0 || tries === PORT_TRIES) throw openError(port, cause);
      }
    }
  }

  private constructor(sockets: ReadonlyMap<EndpointFamily, Socket>) {
    this.#sockets = sockets;
    this.port = [...sockets.values()][0]!.address().port;
    for (const socket of sockets.values()) {
      socket.on('message', (bytes, from) => this.#arrived(bytes, from));
      socket.on('error', (error) => count(this.#receiveErrors, codeOf(error)));
    }
  }

  receive(batch: PacketBatch): number {
    const source = new SourceBatch(batch);
    let taken = 0;
    for (const datagram of this.#waiting) {
      if (!source.append(datagram) && batch.count > 0) break;
      this.#waitingBytes -= datagram.bytes.length;
      taken++;
    }
    this.#waiting.splice(0, taken);
    if (this.#waiting.length > 0) this.#announce();
    return batch.count;
  }

  send(batch: PacketBatch, from: number): number {
    for (let row = from; row < batch.count; row++) {
      if (batch.verdict[row] !== Verdict.Pass) continue;
      if (this.#unsent >= MAX_UNSENT_DATAGRAMS) {
        this.#isBlocked = true;
        return row;
      }
      this.#sendRow(batch, row);
    }
    return batch.count;
  }

  /** @throws {WireGuardError} ERR_SOCKET_MARK for every mark but 0. */
  setMark(mark: number): void {
    if (mark !== 0) throw new WireGuardError('ERR_SOCKET_MARK', 'A firewall mark needs the native addon.');
  }

  get stats(): DatagramSocketStats {
    return { sendErrors: this.#sendErrors, receiveErrors: this.#receiveErrors };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onReadable = nothing;
    this.onWritable = nothing;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    for (const socket of this.#sockets.values()) socket.close();
  }

  #arrived(bytes: Uint8Array, from: RemoteInfo): void {
    const isFull = this.#waiting.length >= MAX_WAITING_DATAGRAMS;
    if (isFull || this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      count(this.#receiveErrors, 'ENOBUFS');
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#waiting.push({ bytes, trafficClass: 0, from: endpointOf(from) });
    this.#announce();
  }

  /** Announces the datagrams of one turn together, so that they are read as one batch. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      if (this.#waiting.length > 0) this.onReadable();
    });
  }

  #sendRow(batch: PacketBatch, row: number): void {
    const { endpoint, address } = this.#destinationOf(batch, row);
    const socket = this.#sockets.get(endpoint.family);
    if (socket === undefined) {
      count(this.#sendErrors, 'EAFNOSUPPORT');
      return;
    }
    if (endpoint.port === 0) {
      count(this.#sendErrors, 'EINVAL'); // the system's error; Node throws instead
      return;
    }
    const start = batch.offset[row]!;
    const bytes = batch.bytes.slice(start, start + batch.length[row]!); // Node sends after the batch was refilled
    this.#unsent++;
    try {
      socket.send(bytes, endpoint.port, address, (error) => this.#sent(error));
    } catch (error) {
      this.#unsent--;
      count(this.#sendErrors, codeOf(error));
    }
  }

  #destinationOf(batch: PacketBatch, row: number): Destination {
    const at = batch.endpoint[row]! * ENDPOINT_WORDS;
    const known = this.#destination;
    if (known.endpoint.scopeId === 0 && remoteEquals(batch.endpointWords, at, known.endpoint.words, 0)) return known;
    const endpoint = new Endpoint();
    copyEndpoint(batch.endpointWords, at, endpoint.words, 0);
    this.#destination = { endpoint, address: this.#sockets.has(endpoint.family) ? addressText(endpoint) : '' };
    return this.#destination;
  }

  #sent(error: Error | null): void {
    if (error !== null) count(this.#sendErrors, codeOf(error));
    this.#unsent--;
    if (!this.#isBlocked || this.#unsent > MAX_UNSENT_DATAGRAMS / 2) return;
    this.#isBlocked = false;
    this.onWritable();
  }
}

function nothing(): void {}

function count(counters: Map<string, number>, name: string): void {
  counters.set(name, (counters.get(name) ?? 0) + 1);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function endpointOf(from: RemoteInfo): Endpoint {
  const [text = '', zone = ''] = from.address.split('%', 2);
  return Endpoint.from(addressBytes(text), from.port, zone === '' ? 0 : zoneIndex(zone));
}

/** @throws The first error other than a missing family; then no socket stays open. */
async function bindFamilies(families: readonly IpFamily[], port: number): Promise<ReadonlyMap<EndpointFamily, Socket>> {
  const sockets = new Map<EndpointFamily, Socket>();
  let missing: unknown;
  try {
    for (const family of families) {
      const wanted = [...sockets.values()][0]?.address().port ?? port;
      const socket = await bind(family, wanted).catch((error) => {
        if (!MISSING_FAMILY.has(codeOf(error))) throw error;
        missing = error;
      });
      if (socket !== undefined) sockets.set(family, socket);
    }
    if (sockets.size === 0) throw missing;
    return sockets;
  } catch (error) {
    for (const socket of sockets.values()) socket.close();
    throw error;
  }
}

function bind(family: IpFamily, port: number): Promise<Socket> {
  const type = family === 4 ? 'udp4' : 'udp6';
  const buffers = { recvBufferSize: BUFFER_BYTES, sendBufferSize: BUFFER_BYTES };
  const socket = createSocket({ type, ipv6Only: family === 6, ...buffers });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function openError(port: number, cause: unknown): WireGuardError {
  const code = codeOf(cause);
  if (code === 'EADDRINUSE') return new WireGuardError('ERR_PORT_IN_USE', `UDP port ${port} is in use.`, { cause });
  if (code === 'EACCES')
    return new WireGuardError('ERR_PORT_PERMISSION', `UDP port ${port} may not be used by this user.`, { cause });
  return new WireGuardError('ERR_SOCKET_REFUSED', `UDP port ${port} could not be opened: ${code}.`, { cause });
}
