import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { formatIpAddress } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { Crypto } from '../../core/ports.js';
import type { NameSource, WrapSocket } from '../../gateway/gateway-engine.js';
import type { GatewayDevice } from '../../gateway/gateway-model.js';
import type { MeshSettings } from '../../gateway/mesh-model.js';
import { gatewayAddresses } from '../../gateway/service/address-pool.js';
import { invitationOf } from '../../gateway/service/engine-device.js';
import type { RunningGateway } from '../../gateway/service/running-gateway.js';
import type { Clock } from '../../host/clock.js';
import type { DatagramSocket } from '../../host/datagram-socket.js';
import { CARRIER_PATH, CarrierServer } from '../carrier/carrier-server.js';
import type { AgentMessage, HubInfo } from '../map/messages.js';
import type {} from '../mesh-errors.js';
import type { SigningKey } from '../records/signing.js';
import { AgentRequests } from './agent-requests.js';
import { type AgentConnection, CONTROL_PATH, ControlServer } from './control-server.js';
import { type EnrolmentRequest, enrol } from './enrolment.js';
import { HubGreetings } from './hub-greetings.js';
import { HubProbes } from './hub-probes.js';
import { HubRelay } from './hub-relay.js';
import { HubRound } from './hub-round.js';
import type { EndpointFile } from './known-endpoints.js';
import { MapPublisher } from './map-publisher.js';
import { NodeChanges } from './node-changes.js';
import { NodeDirectory } from './node-directory.js';
import { keepReport } from './path-summary.js';
import { SharedKeys } from './shared-keys.js';

export interface MeshHubOptions {
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** Private key of the hub's device, 32 bytes. Copied. */
  readonly privateKey: Uint8Array;
  /** Reads the signing key at the start. `undefined`: mode `locked`. */
  readonly readSigningKey: () => SigningKey | undefined;
  /** URL of the carrier, as agents reach it. */
  readonly carrierUrl?: string;
  /** Opens the second port. Absent: there is none. */
  readonly openSecond?: (listenPort: number) => Promise<DatagramSocket>;
  /** Where the endpoints of nodes outlive the hub. Absent: nodes are known again when they speak. */
  readonly endpointFile?: EndpointFile;
  readonly nowUnixMs?: () => number;
  readonly log?: (line: string) => void;
}

/**
 * The hub: a gateway that also relays what it cannot read, tells nodes of each other, and takes new ones in.
 *
 * ```text
 * const hub = new MeshHub(options)
 * gateway = await openGateway({ …, wrapSocket: hub.wrapSocket, names: hub.names })
 * await hub.start(gateway)
 * ```
 */
export class MeshHub {
  readonly relay: HubRelay;
  readonly probes: HubProbes;
  readonly nodes: NodeDirectory;
  readonly #options: MeshHubOptions;
  readonly #nowUnixMs: () => number;
  readonly #control: ControlServer;
  readonly #sharedKeys = new SharedKeys();
  readonly #ending = new AbortController();
  #gateway!: RunningGateway;
  #requests!: AgentRequests;
  #publisher!: MapPublisher;
  #carriers!: CarrierServer;
  #round: HubRound | undefined;
  #greetings: HubGreetings | undefined;
  #tending: NodeJS.Timeout | undefined;

  constructor(options: MeshHubOptions) {
    const { crypto, clock, privateKey, nowUnixMs = Date.now } = options;
    this.#options = options;
    this.#nowUnixMs = nowUnixMs;
    this.nodes = new NodeDirectory({
      rules: () => this.#gateway.rules(),
      revision: () => this.#gateway.revision,
      nowUnixMs,
    });
    this.relay = new HubRelay({
      crypto,
      clock,
      neighbours: (id) => this.nodes.neighbours(id),
      sees: (a, b) => this.nodes.sees(a, b),
    });
    this.probes = new HubProbes({
      crypto,
      privateKey,
      hostsAt: (endpoint) => this.relay.keysAt(endpoint),
      nowMs: () => clock.nowMs(),
    });
    this.#control = new ControlServer({
      onMessage: (connection, message) => void this.#take(connection, message).catch(() => connection.close()),
      onClose: (connection) => this.#publisher.unsubscribe(connection, this.#nowUnixMs()),
    });
  }

  get wrapSocket(): WrapSocket {
    return this.relay.wrapSocket;
  }

  get mesh(): MeshSettings {
    return this.nodes.mesh;
  }

  get publisher(): MapPublisher {
    return this.#publisher;
  }

  /** Names of nodes: `NODE.NETWORK.internal`. */
  readonly names: NameSource = {
    lookup: (name) => {
      const zone = `.${this.mesh.name}.internal`;
      if (!name.endsWith(zone)) return undefined;
      const wanted = name.slice(0, -zone.length);
      return wanted === 'hub' ? this.#addresses() : this.nodes.addressesOf(wanted);
    },
  };

  /** @throws {WireGuardError} ERR_NO_MESH: the gateway is no hub. */
  async start(gateway: RunningGateway): Promise<void> {
    const { mesh } = gateway.settings;
    if (mesh === undefined) throw new WireGuardError('ERR_NO_MESH', 'this gateway is no hub');
    this.#gateway = gateway;
    this.nodes.begin(mesh, mesh.mode === 'auto' ? this.#options.readSigningKey() : undefined);
    this.#publisher = this.#openPublisher();
    const parts = {
      gateway,
      nodes: this.nodes,
      relay: this.relay,
      publisher: this.#publisher,
      connectionOf: (id: string) => this.#control.connections.get(id),
      nowUnixMs: this.#nowUnixMs,
    };
    const changes = new NodeChanges({ ...parts, onForgotten: (id) => this.#sharedKeys.forget(id) });
    const { clock } = this.#options;
    this.#requests = new AgentRequests({
      ...parts,
      observed: (id) => this.relay.observed(id),
      nowMs: () => clock.nowMs(),
    });
    gateway.beforeRemoval = (ids) => changes.sayFarewell(ids);
    this.relay.onMoved = (id) => this.#moved(id);
    this.relay.start();
    this.probes.serve(this.relay.probes);
    if (this.#options.openSecond !== undefined) {
      const { listenPort } = gateway.status();
      this.probes.serveSecond(await this.#options.openSecond(listenPort));
    }
    this.#carriers = new CarrierServer(
      this.relay.carriers,
      (endpoint) => this.relay.table.nodeAt(endpoint) !== undefined,
    );
    changes.readAll();
    const { endpointFile: file } = this.#options;
    const isNode = (id: string): boolean => this.nodes.devices.has(id);
    const isMissed = (id: string): boolean => this.nodes.isAgent(id) && !this.isConnected(id);
    if (file !== undefined)
      this.#greetings = new HubGreetings({ file, relay: this.relay, isNode, isMissed, nowUnixMs: this.#nowUnixMs });
    void changes.follow(this.#ending.signal);
    this.#round = new HubRound({ ...parts, onExpired: (id) => changes.expired(id) });
  }

  /** The agents with a control connection. */
  isConnected(id: string): boolean {
    return this.#control.connections.has(id);
  }

  /** Whether two hosts seem to use the key of a node. */
  hasSharedKey(id: string): boolean {
    return this.#sharedKeys.isShared(id, this.#options.clock.nowMs());
  }

  /** The last report of an agent. */
  reportOf(id: string) {
    return this.#control.connections.get(id)?.report;
  }

  /** Takes a WebSocket for a carrier from outside, or for control from inside. @returns `false`: it is for neither. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, from: { address: string; device?: string }): boolean {
    const path = (request.url ?? '').split('?')[0]!;
    if (from.device === undefined && path.endsWith(CARRIER_PATH)) {
      this.#carriers.upgrade(request, stream, head, from.address);
      return true;
    }
    if (from.device === undefined || path !== CONTROL_PATH || !this.nodes.devices.has(from.device)) return false;
    this.#control.upgrade(request, stream, head, from.device);
    return true;
  }

  /** Makes a node of the host in the lobby. @param lobbyDevice The engine's name of the invitation. */
  async enrol(request: EnrolmentRequest, lobbyDevice: string): Promise<GatewayDevice> {
    const invitationId = invitationOf(lobbyDevice) ?? '';
    return await this.#gateway.transact(
      (state) =>
        enrol(state, {
          request,
          invitationId,
          networkId: this.mesh.networkId,
          nowUnixMs: this.#nowUnixMs(),
          sharedKey: (publicKey) => this.probes.keyFor(publicKey),
        }),
      `invitation:${invitationId}`,
    );
  }

  /** How agents reach the hub. */
  info(): HubInfo {
    const { settings } = this.#gateway;
    const { secondPort } = this.probes;
    const { carrierUrl } = this.#options;
    return {
      publicKey: this.#gateway.publicKey,
      endpoint: settings.endpoint,
      ...(secondPort === undefined ? {} : { secondPort }),
      ...(carrierUrl === undefined ? {} : { carrierUrl }),
      addresses: this.#addresses(),
      subnets: [settings.subnet4, ...(settings.subnet6 === undefined ? [] : [settings.subnet6])],
    };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#round?.close();
    clearTimeout(this.#tending);
    this.#control.close();
    this.#carriers?.close();
    this.relay.close();
    this.probes.close();
    await this.#greetings?.close();
  }

  #openPublisher(): MapPublisher {
    const source = {
      entryOf: (id: string) => this.nodes.entryOf(id),
      sees: (a: string, b: string) => this.nodes.seesRecord(a, b),
      saw: (a: string, gone: string) => this.nodes.sawRecord(a, gone),
      neighbours: (id: string) => this.nodes.introducedTo(id),
      extrasOf: (id: string) => this.#extrasOf(id),
    };
    return new MapPublisher(source, this.#nowUnixMs(), () => this.#tendLater());
  }

  /** A carrier has no address of its own: a host that goes back and forth to it is one host. */
  #moved(id: string): void {
    const endpoint = this.relay.observed(id);
    this.#greetings?.heard(id, endpoint);
    if (endpoint === undefined || !this.#sharedKeys.moved(id, endpoint, this.#options.clock.nowMs())) return;
    const name = this.nodes.devices.get(id)?.name ?? id;
    this.#options.log?.(`two hosts use the key of ${name}: revoke ${name}, and let each host join by itself`);
  }

  #extrasOf(id: string) {
    const self = this.nodes.entryOf(id);
    return { ...(self === undefined ? {} : { self }), hub: this.info(), rules: this.nodes.rulesOf(id) };
  }

  #addresses(): string[] {
    return gatewayAddresses(this.#gateway.settings).map(({ address }) => formatIpAddress(address));
  }

  async #take(connection: AgentConnection, message: AgentMessage): Promise<void> {
    const { node } = connection;
    switch (message.type) {
      case 'hello':
        return this.#publisher.subscribe(connection, message.rev, this.#nowUnixMs());
      case 'ack':
        return this.#publisher.acknowledged(connection, this.#nowUnixMs());
      case 'report':
        connection.report = keepReport(message);
        return;
      case 'punch':
        return this.#requests.punch(connection, message.node, message.attempt);
      case 'rotate':
        return await this.#requests.rotate(node, message);
      case 'offer':
        return await this.#requests.offer(node, message.routes);
      case 'leave':
        return await this.#requests.leave(node);
    }
  }

  /** Changes wait a moment for others, and agents that acknowledge nothing must not hold up the maps of others. */
  #tendLater(): void {
    const inMs = this.#publisher.tendsInMs(this.#nowUnixMs());
    clearTimeout(this.#tending);
    if (inMs === undefined) return;
    this.#tending = setTimeout(() => {
      this.#publisher.tend(this.#nowUnixMs());
      this.#tendLater();
    }, inMs).unref();
  }
}
