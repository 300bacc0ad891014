import type { Datagram } from './datagram.js';
import type { Network } from './network.js';
import { SocketAddress } from './socket-address.js';

/** A program that receives the datagrams for a port. */
export type DatagramListener = (datagram: Datagram) => void;

/** A datagram that a program sends. */
export interface OutgoingDatagram {
  readonly port: number;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  readonly trafficClass?: number;
  /** The address to send from; ignored when the host does not (or no longer) have it. */
  readonly source?: string | undefined;
}

/** A machine on a network, with addresses of both families and UDP ports. */
export class Host {
  readonly name: string;
  /** Datagrams that could not leave: the host has no address of that family, or is offline. */
  unsentDatagrams = 0;
  /** Datagrams for ports without a listener. */
  refusedDatagrams = 0;

  #network: Network;
  #addresses: readonly string[] = [];
  readonly #listeners = new Map<number, DatagramListener>();

  constructor(name: string, network: Network, addresses: readonly string[]) {
    this.name = name;
    this.#network = network;
    this.addresses = addresses;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Changes the host's addresses. An empty list pulls the cable. */
  set addresses(addresses: readonly string[]) {
    this.moveTo(this.#network, addresses);
  }

  /** Takes the host to another network, as a phone goes from one access point to the next. */
  moveTo(network: Network, addresses: readonly string[]): void {
    for (const address of this.#addresses) this.#network.detach(address);
    this.#network = network;
    this.#addresses = addresses;
    for (const address of addresses) network.attach(address, this);
  }

  get network(): Network {
    return this.#network;
  }

  /** @throws {RangeError} if the port is in use. */
  listen(port: number, listener: DatagramListener): void {
    if (this.#listeners.has(port)) throw new RangeError(`port ${port} is in use on ${this.name}`);
    this.#listeners.set(port, listener);
  }

  close(port: number): void {
    this.#listeners.delete(port);
  }

  send({ port, to, bytes, trafficClass = 0, source }: OutgoingDatagram): void {
    const address = this.#sourceFor(to, source);
    if (address === undefined) this.unsentDatagrams++;
    else this.#network.send({ from: new SocketAddress(address, port), to, bytes, trafficClass });
  }

  /** Receives a datagram from the network. */
  deliver(datagram: Datagram): void {
    const listener = this.#listeners.get(datagram.to.port);
    if (listener === undefined) this.refusedDatagrams++;
    else listener(datagram);
  }

  #sourceFor(to: SocketAddress, wanted: string | undefined): string | undefined {
    if (wanted !== undefined && this.#addresses.includes(wanted)) return wanted;
    return this.#addresses.find((address) => address.includes(':') === to.isIpv6);
  }
}
