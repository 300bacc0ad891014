import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { PROTOCOL_UDP, readUint16, UDP_HEADER_BYTES, writeUint16 } from '../../wire/ip-header.js';
import { addressEquals } from '../address.js';
import { addBytes, finishChecksum, readUint32 } from '../checksum.js';
import { EPHEMERAL_PORT_FIRST, EPHEMERAL_PORT_LAST } from '../constants.js';
import { type Icmp, pseudoHeader } from '../icmp/icmp.js';
import type { IcmpError } from '../icmp/icmp-error.js';
import { QUOTED_BYTES, type Refused } from '../icmp/refused.js';
import { writeDatagram } from '../ip/datagram-writer.js';
import type { Identifications } from '../ip/identifications.js';
import type { IpView } from '../ip/ip-view.js';
import { PacketQueue } from '../ip/packet-queue.js';
import type { PathMtus } from '../ip/path-mtus.js';
import type { NetstackEnvironment } from '../ports.js';
import { UdpEndpoint, UdpEvent } from './udp-endpoint.js';

export const MAX_UDP_PAYLOAD = 65_507;
const MAX_QUEUE_BYTES = 4 * 1024 * 1024;

export interface UdpOptions {
  readonly environment: NetstackEnvironment;
  readonly pathMtus: PathMtus;
  readonly identifications: Identifications;
  readonly icmp: Icmp;
}

/** A datagram to nobody's port, for a gateway. Answers leave by `send`, which takes any source. */
export interface StrayDatagram extends Refused {
  readonly localPort: number;
  readonly remotePort: number;
  readonly data: Uint8Array;
}

/** @returns Whether the datagram was taken; otherwise its port is unreachable. `Icmp.refuse` may follow later. */
export type DatagramHandler = (datagram: StrayDatagram) => boolean;

/**
 * UDP: ports, and the datagrams between them.
 *
 * Source: RFC 768; RFC 8085; RFC 1122 §4.1; RFC 8200 §8.1 (a checksum of zero is not for IPv6).
 */
export class Udp {
  /** Takes what no port does (accept-any mode). */
  onDatagram: DatagramHandler | undefined;
  malformed = 0;
  readonly #environment: NetstackEnvironment;
  readonly #pathMtus: PathMtus;
  readonly #identifications: Identifications;
  readonly #icmp: Icmp;
  readonly #endpoints = new Map<number, UdpEndpoint[]>();
  readonly #queue = new PacketQueue(MAX_QUEUE_BYTES);
  readonly #events: UdpEndpoint[] = [];

  constructor({ environment, pathMtus, identifications, icmp }: UdpOptions) {
    this.#identifications = identifications;
    this.#environment = environment;
    this.#pathMtus = pathMtus;
    this.#icmp = icmp;
  }

  get hasOutput(): boolean {
    return this.#queue.count > 0;
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** @param port 0: any that is free. @returns `undefined` if the port is taken. */
  bind(address: Int32Array | undefined, port: number): UdpEndpoint | undefined {
    const chosen = port === 0 ? this.#freePort(address) : port;
    if (chosen === 0 || this.#isTaken(address, chosen)) return undefined;
    const endpoint = new UdpEndpoint(address, chosen);
    const others = this.#endpoints.get(chosen) ?? [];
    others.push(endpoint);
    this.#endpoints.set(chosen, others);
    return endpoint;
  }

  close(endpoint: UdpEndpoint): void {
    const others = this.#endpoints.get(endpoint.port)?.filter((other) => other !== endpoint) ?? [];
    if (others.length === 0) this.#endpoints.delete(endpoint.port);
    else this.#endpoints.set(endpoint.port, others);
  }

  /** Sends a datagram, in fragments where it is longer than the MTU. @returns `false` if it was dropped. */
  send(
    source: Int32Array,
    sourcePort: number,
    destination: Int32Array,
    destinationPort: number,
    data: Uint8Array,
  ): boolean {
    if (data.length > MAX_UDP_PAYLOAD) return false;
    const message = new Uint8Array(UDP_HEADER_BYTES + data.length);
    writeUint16(message, 0, sourcePort);
    writeUint16(message, 2, destinationPort);
    writeUint16(message, 4, message.length);
    message.set(data, UDP_HEADER_BYTES);
    const fields = { source, destination, protocol: PROTOCOL_UDP, trafficClass: 0 };
    const checksum = finishChecksum(addBytes(pseudoHeader(fields, message.length), message, 0, message.length));
    writeUint16(message, 6, checksum === 0 ? 0xffff : checksum); // zero would say that there is none (RFC 768)
    const id = this.#identifications.next(source, destination);
    const mtu = this.#pathMtus.mtuOf(destination);
    return writeDatagram(fields, message, mtu, id).every((packet) => this.#queue.push(packet));
  }

  /** @returns `false` if the batch is full. */
  emit(batch: PacketBatch): boolean {
    return this.#queue.emit(batch);
  }

  takeEvent(): UdpEndpoint | undefined {
    const endpoint = this.#events.shift();
    if (endpoint !== undefined) endpoint.isInEventQueue = false;
    return endpoint;
  }

  arrive(view: IpView, bytes: Uint8Array, nowMs: number): void {
    const { payloadAt, payloadBytes } = view;
    const length = payloadBytes < UDP_HEADER_BYTES ? 0 : readUint16(bytes, payloadAt + 4);
    const isUnsummed6 = view.version === 6 && readUint16(bytes, payloadAt + 6) === 0;
    if (length < UDP_HEADER_BYTES || length > payloadBytes || isUnsummed6) {
      this.malformed++;
      return;
    }
    const sourcePort = readUint16(bytes, payloadAt);
    const destinationPort = readUint16(bytes, payloadAt + 2);
    // A source port of zero asks for no answer (RFC 768); no program could tell it from a place to write to.
    if (sourcePort === 0 || destinationPort === 0) {
      this.malformed++;
      return;
    }
    const data = bytes.subarray(payloadAt + UDP_HEADER_BYTES, payloadAt + length);
    const endpoint = this.#endpointFor(view.destination, destinationPort, view.source, sourcePort);
    if (endpoint === undefined) {
      this.#takeStray(view, bytes, data, nowMs);
      return;
    }
    const datagram = {
      data: data.slice(),
      from: view.source.slice(),
      fromPort: sourcePort,
      to: view.destination.slice(),
    };
    if (endpoint.push(datagram)) this.#post(endpoint, UdpEvent.Readable);
  }

  #takeStray(view: IpView, bytes: Uint8Array, data: Uint8Array, nowMs: number): void {
    const { at, payloadAt, source, destination } = view;
    // One copy for both: allocations cost more than the bytes of a small datagram.
    const dataAt = payloadAt + UDP_HEADER_BYTES - at;
    const packet = bytes.slice(at, at + dataAt + data.length);
    const isTaken = this.onDatagram?.({
      local: destination.slice(),
      localPort: readUint16(bytes, payloadAt + 2),
      remote: source.slice(),
      remotePort: readUint16(bytes, payloadAt),
      data: packet.subarray(dataAt),
      quoted: packet.subarray(0, QUOTED_BYTES),
    });
    if (isTaken !== true) this.#icmp.portUnreachable(view, bytes, nowMs);
  }

  /** Only a connected port learns of errors, as with Linux: any other could not tell what they are about. */
  takeIcmpError({ kind, local, localPort, remote, remotePort, mtu }: IcmpError, nowMs: number): void {
    const endpoint = this.#endpointFor(local, localPort, remote, remotePort);
    if (kind === 'too-big') {
      // Only where the datagram may have been ours (RFC 8201 §4); the next one is cut.
      if (endpoint !== undefined || this.onDatagram !== undefined) this.#pathMtus.refuse(remote, mtu, nowMs);
      return;
    }
    if (endpoint?.remote === undefined) return;
    endpoint.error = kind === 'port' || kind === 'protocol' ? 'refused' : 'unreachable';
    this.#post(endpoint, UdpEvent.Error);
  }

  /** The closest match: a connected port before an address before any address. */
  #endpointFor(local: Int32Array, port: number, remote: Int32Array, remotePort: number): UdpEndpoint | undefined {
    let best: UdpEndpoint | undefined;
    let bestScore = -1;
    for (const endpoint of this.#endpoints.get(port) ?? []) {
      if (endpoint.address !== undefined && !addressEquals(endpoint.address, 0, local, 0)) continue;
      const isConnected = endpoint.remote !== undefined;
      if (isConnected && !(endpoint.remotePort === remotePort && addressEquals(endpoint.remote!, 0, remote, 0)))
        continue;
      const score = (isConnected ? 2 : 0) + (endpoint.address === undefined ? 0 : 1);
      if (score > bestScore) {
        best = endpoint;
        bestScore = score;
      }
    }
    return best;
  }

  #isTaken(address: Int32Array | undefined, port: number): boolean {
    const others = this.#endpoints.get(port) ?? [];
    return others.some(
      (other) => other.address === undefined || address === undefined || addressEquals(other.address, 0, address, 0),
    );
  }

  #freePort(address: Int32Array | undefined): number {
    const count = EPHEMERAL_PORT_LAST - EPHEMERAL_PORT_FIRST + 1;
    const random = new Uint8Array(4);
    this.#environment.random(random);
    const start = readUint32(random, 0) >>> 0;
    for (let i = 0; i < count; i++) {
      const port = EPHEMERAL_PORT_FIRST + ((start + i) % count);
      if (!this.#isTaken(address, port)) return port;
    }
    return 0;
  }

  #post(endpoint: UdpEndpoint, events: number): void {
    endpoint.events |= events;
    if (endpoint.isInEventQueue) return;
    endpoint.isInEventQueue = true;
    this.#events.push(endpoint);
  }
}
