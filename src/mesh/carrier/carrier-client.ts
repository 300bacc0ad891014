import type { Endpoint } from '../../wire/endpoint.js';
import { CarrierLink, type CarrierLinkOptions } from './carrier-link.js';
import type { CarrierSocket } from './carrier-socket.js';

export interface CarrierClientOptions extends Pick<CarrierLinkOptions, 'url' | 'environment' | 'findPlace'> {
  readonly socket: CarrierSocket;
  /** The endpoint that stands for the hub, or `undefined` while there is no connection. */
  readonly onEndpoint: (endpoint: Endpoint | undefined) => void;
}

/** Carries the datagrams of an agent to the hub: the connection is one more address of the agent's socket. */
export class CarrierClient {
  readonly #link: CarrierLink;
  #endpoint: Endpoint | undefined;

  constructor(options: CarrierClientOptions) {
    const { socket, onEndpoint } = options;
    this.#link = new CarrierLink({
      ...options,
      onOpen: (carrier) => {
        this.#endpoint = socket.addConnection(carrier);
        onEndpoint(this.#endpoint);
      },
      onDatagram: (datagram) => socket.deliver(this.#endpoint!, datagram),
      onClose: () => {
        socket.removeConnection(this.#endpoint!);
        onEndpoint(undefined);
      },
    });
  }

  close(): void {
    this.#link.close();
  }
}
