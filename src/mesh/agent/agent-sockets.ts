import type { DatagramSocket } from '../../host/datagram-socket.js';
import type { OpenSocket } from '../../host/tunnel.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { CarrierClient } from '../carrier/carrier-client.js';
import { CarrierSocket } from '../carrier/carrier-socket.js';
import type { FindPlace } from '../carrier/placed-connection.js';
import { AgentPathSocket, type FindWays } from '../paths/agent-path-socket.js';
import { type ProbeListener, ProbeSocket } from '../probes/probe-socket.js';

/** The sockets of an agent: UDP and carrier below, probes between them and WireGuard, the choice of ways on top. */
export class AgentSockets {
  onProbe: ProbeListener = () => {};
  find: FindWays = () => undefined;
  readonly #findPlace: FindPlace | undefined;
  #carriers: CarrierSocket | undefined;
  #probes: ProbeSocket | undefined;
  #client: CarrierClient | undefined;

  /** @param findPlace Finds where the carrier connects to, in place of the system. */
  constructor(findPlace?: FindPlace) {
    this.#findPlace = findPlace;
  }

  /** @param open Opens the UDP socket. @returns For the tunnel. */
  opener(open: OpenSocket): OpenSocket {
    return async (port, mark) => this.#wrap(await open(port, mark));
  }

  get port(): number {
    return this.#probes?.port ?? 0;
  }

  sendProbe(bytes: Uint8Array, to: Endpoint): void {
    this.#probes?.sendProbe(bytes, to);
  }

  /** Opens the carrier, or closes it. */
  carry(url: string | undefined, onEndpoint: (endpoint: Endpoint | undefined) => void): void {
    if (url === undefined) {
      this.#client?.close();
      this.#client = undefined;
    } else if (this.#carriers !== undefined)
      this.#client ??= new CarrierClient({ url, socket: this.#carriers, findPlace: this.#findPlace, onEndpoint });
  }

  close(): void {
    this.#client?.close();
  }

  #wrap(udp: DatagramSocket): DatagramSocket {
    this.#carriers = new CarrierSocket(udp);
    this.#probes = new ProbeSocket(this.#carriers);
    this.#probes.onProbe = (bytes, from) => this.onProbe(bytes, from);
    return new AgentPathSocket(this.#probes, (number, isKeepalive) => this.find(number, isKeepalive));
  }
}
