import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

import type { Endpoint } from '../../wire/endpoint.js';
import type { CarrierSocket } from './carrier-socket.js';
import { refuseUpgrade } from './refuse-upgrade.js';
import { MAX_DATAGRAM_BYTES, WebSocketCarrier } from './web-socket-carrier.js';

export const CARRIER_PATH = '/carry';
const MAX_CONNECTIONS = 20_000;
const MAX_PER_ADDRESS = 256;
/** A connection that no node has proved to be its own by then is closed. */
const STRANGER_MS = 30_000;

/** Takes carriers of agents whose network lets no UDP through. They are strangers, as every address is, until a node speaks. */
export class CarrierServer {
  readonly #socket: CarrierSocket;
  readonly #isKnown: (endpoint: Endpoint) => boolean;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_DATAGRAM_BYTES });
  readonly #byAddress = new Map<string, number>();

  /** @param isKnown Tests whether an endpoint is a node's. */
  constructor(socket: CarrierSocket, isKnown: (endpoint: Endpoint) => boolean) {
    this.#socket = socket;
    this.#isKnown = isKnown;
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, address: string): void {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#socket.connectionCount >= MAX_CONNECTIONS || ofAddress >= MAX_PER_ADDRESS) {
      refuseUpgrade(stream, '503 Service Unavailable');
      return;
    }
    this.#server.handleUpgrade(request, stream, head, (webSocket) => {
      this.#byAddress.set(address, ofAddress + 1);
      const carrier = new WebSocketCarrier(
        webSocket,
        (datagram) => this.#socket.deliver(endpoint, datagram),
        () => this.#closed(endpoint, address, check),
      );
      const endpoint = this.#socket.addConnection(carrier);
      const check = setInterval(() => {
        if (!this.#isKnown(endpoint)) carrier.close();
      }, STRANGER_MS).unref();
    });
  }

  close(): void {
    this.#server.close();
  }

  #closed(endpoint: Endpoint, address: string, check: NodeJS.Timeout): void {
    clearInterval(check);
    this.#socket.removeConnection(endpoint);
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}
