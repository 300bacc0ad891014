import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import { ENDPOINT_WORDS, Endpoint } from '../../wire/endpoint.js';
import type { DatagramSocket, DatagramSocketStats } from '../datagram-socket.js';
import { type Datagram, SourceBatch } from '../source-batch.js';

/** Datagrams that one socket keeps for its reader; further datagrams are lost, as in a real socket. */
const QUEUE_DATAGRAMS = 4_096;
const FIRST_EPHEMERAL_PORT = 49_152;

/** A wire without delay between sockets of one process. Datagrams arrive in a microtask, in order. */
export class MemoryNetwork {
  readonly #sockets = new Map<string, MemorySocket>();
  #nextPort = FIRST_EPHEMERAL_PORT;

  /**
   * @param addresses The host's addresses, 4 or 16 bytes each, at most one per family.
   * @param port 0: any free port.
   */
  open(addresses: readonly Uint8Array[], port = 0): MemorySocket {
    const socket = new MemorySocket(this, addresses, port === 0 ? this.#nextPort++ : port);
    for (const address of addresses) this.#sockets.set(keyOf(address, socket.port), socket);
    return socket;
  }

  /** @returns The socket that the remote side of the endpoint names. */
  find(endpoint: Endpoint): MemorySocket | undefined {
    return this.#sockets.get(keyOf(endpoint.address, endpoint.port));
  }

  remove(addresses: readonly Uint8Array[], port: number): void {
    for (const address of addresses) this.#sockets.delete(keyOf(address, port));
  }
}

/** A socket of a `MemoryNetwork`. */
export class MemorySocket implements DatagramSocket {
  onReadable: () => void = () => {};
  onWritable: () => void = () => {};
  readonly port: number;
  /** The last mark that was set. It has no effect. */
  mark = 0;
  readonly #network: MemoryNetwork;
  readonly #addresses: readonly Uint8Array[];
  readonly #queue: Datagram[] = [];
  readonly #sendErrors = new Map<string, number>();
  #isAnnounced = false;

  /** Use `MemoryNetwork.open`. */
  constructor(network: MemoryNetwork, addresses: readonly Uint8Array[], port: number) {
    this.#network = network;
    this.#addresses = addresses;
    this.port = port;
  }

  receive(batch: PacketBatch): number {
    const source = new SourceBatch(batch);
    let datagram = this.#queue[0];
    while (datagram !== undefined && (source.append(datagram) || batch.count === 0)) {
      this.#queue.shift();
      datagram = this.#queue[0];
    }
    if (datagram !== undefined) this.#announce();
    return batch.count;
  }

  send(batch: PacketBatch, from: number): number {
    for (let row = from; row < batch.count; row++) if (batch.verdict[row] === Verdict.Pass) this.#sendRow(batch, row);
    return batch.count;
  }

  setMark(mark: number): void {
    this.mark = mark;
  }

  get stats(): DatagramSocketStats {
    return { sendErrors: this.#sendErrors, receiveErrors: new Map() };
  }

  close(): void {
    this.#network.remove(this.#addresses, this.port);
    this.#queue.length = 0;
    this.onReadable = () => {};
  }

  #sendRow(batch: PacketBatch, row: number): void {
    const at = batch.endpoint[row]! * ENDPOINT_WORDS;
    const to = new Endpoint();
    to.words.set(batch.endpointWords.subarray(at, at + ENDPOINT_WORDS));
    const own = this.#addresses.find((address) => address.length === to.address.length);
    if (own === undefined) {
      this.#countError('EAFNOSUPPORT');
      return;
    }
    if (to.port === 0) {
      this.#countError('EINVAL');
      return;
    }
    const start = batch.offset[row]!;
    this.#network.find(to)?.deliver({
      bytes: batch.bytes.slice(start, start + batch.length[row]!),
      trafficClass: batch.trafficClass[row]!,
      from: Endpoint.from(own, this.port),
    });
  }

  #countError(name: string): void {
    this.#sendErrors.set(name, (this.#sendErrors.get(name) ?? 0) + 1);
  }

  /** Queues a datagram for this socket's reader. */
  deliver(datagram: Datagram): void {
    if (this.#queue.length >= QUEUE_DATAGRAMS) return;
    this.#queue.push(datagram);
    this.#announce();
  }

  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    queueMicrotask(() => {
      this.#isAnnounced = false;
      if (this.#queue.length > 0) this.onReadable();
    });
  }
}

function keyOf(address: Uint8Array, port: number): string {
  return `${address.join('.')}:${port}`;
}
