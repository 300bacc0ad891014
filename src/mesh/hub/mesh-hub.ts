import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatIpAddress } from '../../control/ip-text.js';
import { formatKey, parseKey } from '../../control/key-text.js';
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
import { type Endpoint, FAMILY_PATH } from '../../wire/endpoint.js';
import { CarrierServer } from '../carrier/carrier-server.js';
import type { AgentMessage, HubInfo, MapEntry } from '../map/messages.js';
import { ruleText } from '../map/rule-text.js';
import { Visibility } from '../map/visibility.js';
import type {} from '../mesh-errors.js';
import { fromBase64, keySignedBytes } from '../records/node-record.js';
import { isSignedBy, type SigningKey } from '../records/signing.js';
import type { RelayNode } from '../relay/relay-node.js';
import { type AgentConnection, ControlServer } from './control-server.js';
import { type EnrolmentRequest, enrol } from './enrolment.js';
import { HubProbes } from './hub-probes.js';
import { HubRelay } from './hub-relay.js';
import { MapPublisher } from './map-publisher.js';
import { areIntroduced, isAgent, isLiveNode, type NodeDevice } from './node-devices.js';
import { Punches, type PunchNode } from './punches.js';
import { RecordMaker } from './record-maker.js';
import { SharedKeys } from './shared-keys.js';

const ROUND_MS = 60_000;
const FAREWELL_MS = 50;
const TEND_MS = 5_000;
const NO_ZONES = { nameOf: () => undefined, indexOf: () => undefined };

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
  readonly #options: MeshHubOptions;
  readonly #nowUnixMs: () => number;
  readonly #control: ControlServer;
  readonly #punches = new Punches();
  readonly #sharedKeys = new SharedKeys();
  readonly #devices = new Map<string, NodeDevice>();
  readonly #ending = new AbortController();
  #gateway!: RunningGateway;
  #mesh!: MeshSettings;
  #records!: RecordMaker;
  #publisher!: MapPublisher;
  #carriers!: CarrierServer;
  #visibility = new Visibility(new Map(), []);
  /** Addresses by DNS label; made anew after a change. */
  #labels: Map<string, readonly string[]> | undefined;
  #round: NodeJS.Timeout | undefined;
  #tending: NodeJS.Timeout | undefined;

  constructor(options: MeshHubOptions) {
    const { crypto, clock, privateKey, nowUnixMs = Date.now } = options;
    this.#options = options;
    this.#nowUnixMs = nowUnixMs;
    this.relay = new HubRelay({
      crypto,
      clock,
      neighbours: (id) => this.neighbours(id),
      sees: (a, b) => this.#visibility.sees(a, b),
    });
    this.probes = new HubProbes({
      crypto,
      privateKey,
      hostsAt: (endpoint) => this.#keysAt(endpoint),
      nowMs: () => clock.nowMs(),
    });
    this.#control = new ControlServer({
      onOpen: () => {},
      onMessage: (connection, message) => void this.#take(connection, message).catch(() => connection.close()),
      onClose: (connection) => this.#publisher.unsubscribe(connection, this.#nowUnixMs()),
    });
  }

  get wrapSocket(): WrapSocket {
    return this.relay.wrapSocket;
  }

  get mesh(): MeshSettings {
    return this.#mesh;
  }

  get publisher(): MapPublisher {
    return this.#publisher;
  }

  /** Names of nodes: `NODE.NETWORK.internal`. */
  readonly names: NameSource = {
    lookup: (name) => {
      const zone = `.${this.#mesh.name}.internal`;
      if (!name.endsWith(zone)) return undefined;
      const wanted = name.slice(0, -zone.length);
      if (wanted === 'hub') return this.#hubAddresses();
      this.#labels ??= new Map([...this.#devices.values()].map((device) => [labelOf(device.name), device.addresses]));
      return this.#labels.get(wanted) ?? [];
    },
  };

  /** @throws {WireGuardError} ERR_NO_MESH: the gateway is no hub. */
  async start(gateway: RunningGateway): Promise<void> {
    const { mesh } = gateway.settings;
    if (mesh === undefined) throw new WireGuardError('ERR_NO_MESH', 'this gateway is no hub');
    this.#gateway = gateway;
    this.#mesh = mesh;
    this.#records = new RecordMaker(mesh.networkId, mesh.mode === 'auto' ? this.#options.readSigningKey() : undefined);
    this.#publisher = new MapPublisher(
      {
        entryOf: (id) => this.#entryOf(id),
        sees: (a, b) => this.#seesRecord(a, b),
        neighbours: (id) => this.#introducedTo(id),
        extrasOf: (id) => this.#extrasOf(id),
      },
      this.#nowUnixMs(),
    );
    gateway.beforeRemoval = (ids) => this.#sayFarewell(ids);
    this.relay.onMoved = (id, endpoint) => this.#moved(id, endpoint);
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
    this.#readAll();
    void this.#follow();
    this.#round = setInterval(() => void this.#doRound(), ROUND_MS).unref();
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

  /** All nodes that a node sees. */
  neighbours(id: string): readonly string[] {
    return this.#visibility.neighbours(id);
  }

  nodes(): Iterable<NodeDevice> {
    return this.#devices.values();
  }

  /** Whether a node waits for the administrator's signature. */
  isWaiting(device: NodeDevice): boolean {
    return this.#mesh.mode === 'locked' && device.node.signed === undefined;
  }

  /** Takes a WebSocket for a carrier from outside, or for control from inside. @returns `false`: it is for neither. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer, from: { address: string; device?: string }): boolean {
    const path = (request.url ?? '').split('?')[0]!;
    if (from.device === undefined && path.endsWith('/carry')) {
      this.#carriers.upgrade(request, stream, head, from.address);
      return true;
    }
    if (from.device === undefined || path !== '/mesh/control' || !this.#devices.has(from.device)) return false;
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
          networkId: this.#mesh.networkId,
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
      addresses: this.#hubAddresses(),
      subnets: [settings.subnet4, ...(settings.subnet6 === undefined ? [] : [settings.subnet6])],
    };
  }

  entryOf(id: string): MapEntry | undefined {
    return this.#entryOf(id);
  }

  close(): void {
    this.#ending.abort();
    clearInterval(this.#round);
    clearTimeout(this.#tending);
    this.#control.close();
    this.#carriers?.close();
    this.relay.close();
    this.probes.close();
  }

  /** Where a node is, as the hub sees it. Absent: unknown, or behind a carrier. */
  observed(id: string): string | undefined {
    const endpoint = this.relay.table.node(id)?.endpoint;
    if (endpoint === undefined || endpoint.family === FAMILY_PATH) return undefined;
    return formatEndpoint(endpoint, NO_ZONES);
  }

  async #follow(): Promise<void> {
    for await (const event of this.#gateway.events(this.#ending.signal)) {
      if (event.kind === 'device-changed') this.#deviceChanged(event.device.device.id);
      else if (event.kind === 'device-removed') this.#deviceChanged(event.id);
      else if (event.kind === 'rules-changed' || event.kind === 'settings-changed') this.#readAll();
    }
  }

  #readAll(): void {
    this.#mesh = this.#gateway.settings.mesh ?? this.#mesh;
    const live = this.#gateway.state().devices.filter((device) => isLiveNode(device, this.#nowUnixMs()));
    for (const id of [...this.#devices.keys()]) if (!live.some((device) => device.id === id)) this.#forget(id);
    for (const device of live) this.#remember(device as NodeDevice);
    this.#newVisibility();
    this.#publisher.changedForAll([...this.#devices.keys()], this.#nowUnixMs());
  }

  #deviceChanged(id: string): void {
    const before = this.#devices.get(id);
    const device = this.#gateway.device(id)?.device;
    if (device === before) return;
    if (isLiveNode(device, this.#nowUnixMs())) this.#remember(device);
    else if (before === undefined) return;
    else this.#forget(id);
    const isVisibilityNew = visibilityOf(before) !== visibilityOf(this.#devices.get(id));
    this.#newVisibility();
    if (isVisibilityNew && this.#gateway.rules().length > 0)
      this.#publisher.changedForAll([...this.#devices.keys()], this.#nowUnixMs());
    else this.#publisher.changed([id], this.#nowUnixMs());
    const wasWaiting = before !== undefined && this.isWaiting(before);
    if (wasWaiting && this.#devices.has(id)) this.#publisher.sendFull(id, this.#nowUnixMs());
  }

  /** Tells agents that they are removed, while they still can be told. */
  async #sayFarewell(ids: readonly string[]): Promise<void> {
    const leaving = ids.flatMap((id) => this.#control.connections.get(id) ?? []);
    for (const connection of leaving) connection.end('this node was removed from the network');
    if (leaving.length > 0) await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
  }

  #expired(id: string): void {
    this.#forget(id);
    this.#newVisibility();
    this.#publisher.changed([id], this.#nowUnixMs());
  }

  #remember(device: NodeDevice): void {
    this.#devices.set(device.id, device);
    if (this.isWaiting(device)) this.relay.removeNode(device.id);
    else this.relay.putNode(device);
  }

  #forget(id: string): void {
    this.#devices.delete(id);
    this.#records.forget(id);
    this.#sharedKeys.forget(id);
    this.relay.removeNode(id);
    this.#control.connections.get(id)?.end('this node was removed from the network');
  }

  /** A carrier has no address of its own: a host that goes back and forth to it is one host. */
  #moved(id: string, endpoint: Endpoint): void {
    if (endpoint.family === FAMILY_PATH) return;
    if (!this.#sharedKeys.moved(id, formatEndpoint(endpoint, NO_ZONES), this.#options.clock.nowMs())) return;
    const name = this.#devices.get(id)?.name ?? id;
    this.#options.log?.(`two hosts use the key of ${name}: revoke ${name}, and let each host join by itself`);
  }

  #newVisibility(): void {
    this.#labels = undefined;
    this.#visibility = new Visibility(this.#devices, this.#gateway.rules());
    if (this.#gateway.rules().length > 0) this.relay.table.forgetHidden();
  }

  /** A node that waits for its signature learns of nobody. */
  #introducedTo(id: string): readonly string[] {
    const device = this.#devices.get(id);
    if (device === undefined || this.isWaiting(device)) return [];
    return this.neighbours(id).filter((other) => this.#seesRecord(id, other));
  }

  #seesRecord(a: string, b: string): boolean {
    const [one, other] = [this.#devices.get(a), this.#devices.get(b)];
    if (one === undefined || other === undefined || !areIntroduced(one, other)) return false;
    return this.#visibility.sees(a, b);
  }

  #entryOf(id: string): MapEntry | undefined {
    const device = this.#devices.get(id);
    const record =
      device === undefined ? undefined : this.#records.recordOf(device, this.#gateway.revision, this.#nowUnixMs());
    if (device === undefined || record === undefined) return undefined;
    const { endpoint } = device.node;
    return {
      record: record as MapEntry['record'],
      mayBegin: device.switches.devices,
      ...(endpoint === undefined ? {} : { endpoint }),
    };
  }

  #extrasOf(id: string) {
    const self = this.#entryOf(id);
    return {
      ...(self === undefined ? {} : { self }),
      hub: this.info(),
      rules: this.#visibility.rulesOf(id).map(ruleText),
    };
  }

  #hubAddresses(): string[] {
    return gatewayAddresses(this.#gateway.settings).map(({ address }) => formatIpAddress(address));
  }

  *#keysAt(endpoint: Endpoint): Iterable<Uint8Array> {
    const at = this.relay.table.nodeAt(endpoint);
    if (at !== undefined) yield* this.#keysOf(at.id);
    const isHere = ({ endpoint: other }: RelayNode): boolean =>
      other !== undefined && Buffer.compare(other.address, endpoint.address) === 0;
    // A node that is carried, or that has not spoken yet, may try UDP from anywhere.
    const isCarried = ({ endpoint: other }: RelayNode): boolean => other?.family === FAMILY_PATH;
    const isSilent = ({ endpoint: other }: RelayNode): boolean => other === undefined;
    for (const test of [isHere, isCarried, isSilent])
      for (const node of this.relay.table.nodes) if (node !== at && test(node)) yield* this.#keysOf(node.id);
  }

  #keysOf(id: string): Uint8Array[] {
    const device = this.#devices.get(id);
    return device === undefined ? [] : [parseKey(device.publicKey, 'public key')];
  }

  async #take(connection: AgentConnection, message: AgentMessage): Promise<void> {
    const { node } = connection;
    switch (message.type) {
      case 'hello':
        this.#publisher.subscribe(connection, message.rev, this.#nowUnixMs());
        this.#tendLater();
        return;
      case 'report':
        connection.report = message;
        return;
      case 'punch':
        this.#punch(connection, message.node, message.attempt);
        return;
      case 'rotate':
        await this.#rotate(node, message);
        return;
      case 'offer':
        await this.#offer(node, message.routes);
        return;
      case 'leave':
        await this.#gateway.deleteDevice(node, `node:${node}`);
        return;
      case 'ack':
        this.#publisher.acknowledged(connection, this.#nowUnixMs());
    }
  }

  /** Agents that acknowledge nothing must not hold up the maps of others. */
  #tendLater(): void {
    if (!this.#publisher.isBusy || this.#tending !== undefined) return;
    this.#tending = setTimeout(() => {
      this.#tending = undefined;
      this.#publisher.tend(this.#nowUnixMs());
      this.#tendLater();
    }, TEND_MS).unref();
  }

  #punch(connection: AgentConnection, other: string, attempt: number): void {
    const theirs = this.#control.connections.get(other);
    if (theirs === undefined || !this.#seesRecord(connection.node, other)) return;
    this.#punches.punch(this.#punchNode(connection), this.#punchNode(theirs), attempt, this.#options.clock.nowMs());
  }

  #punchNode(connection: AgentConnection): PunchNode {
    return {
      id: connection.node,
      report: connection.report,
      observed: this.observed(connection.node),
      send: (message) => connection.tell(message),
    };
  }

  async #rotate(id: string, message: Extract<AgentMessage, { type: 'rotate' }>): Promise<void> {
    const device = this.#devices.get(id);
    if (device === undefined || !isAgent(device)) return;
    const { publicKey, keySeq, signature } = message;
    const signed = keySignedBytes(fromBase64(this.#mesh.networkId), id, publicKey, keySeq);
    const isNext = keySeq === (device.node.keySeq ?? 0) + 1;
    if (!isNext || !isSignedBy(fromBase64(device.node.identityKey), signed, fromBase64(signature))) return;
    const changed = { ...device, nextPublicKey: publicKey, node: { ...device.node, nextKeySignature: signature } };
    const plan = { devices: [changed] };
    const operation = 'node.rotate';
    await this.#gateway.transact(() => ({ plan, operation, object: id, result: undefined }), `node:${id}`);
    // Peers learn the next key by the map first.
    this.#control.connections.get(id)?.tell({ type: 'rotated', keySeq });
  }

  async #offer(id: string, routes: readonly string[]): Promise<void> {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    const offeredRoutes = routes.filter((route) => !device.node.routes.includes(route));
    const kept = device.node.routes.filter((route) => routes.includes(route));
    if (same(offeredRoutes, device.node.offeredRoutes) && same(kept, device.node.routes)) return;
    const changed = { ...device, node: { ...device.node, offeredRoutes, routes: kept } };
    const plan = { devices: [changed] };
    const details = { offeredRoutes };
    await this.#gateway.transact(
      () => ({ plan, operation: 'node.offer', object: id, details, result: undefined }),
      `node:${id}`,
    );
  }

  /** Renews records, lets expired nodes and invitations go, and removes ephemeral nodes that are away. */
  async #doRound(): Promise<void> {
    const nowUnixMs = this.#nowUnixMs();
    for (const device of [...this.#devices.values()])
      if ((device.expiresAtUnixMs ?? Infinity) <= nowUnixMs) this.#expired(device.id);
      else if (this.#isLongAway(device, nowUnixMs)) await this.#gateway.deleteDevice(device.id, 'hub').catch(() => {});
    const due = [...this.#devices.keys()].filter((id) => this.#records.isDue(id, nowUnixMs));
    if (due.length > 0) this.#publisher.changed(due, nowUnixMs);
    const old = this.#gateway.state().invitations.filter(({ expiresAtUnixMs }) => expiresAtUnixMs < nowUnixMs);
    if (old.length === 0) return;
    const plan = { devices: [], removeInvitations: old.map(({ id }) => id) };
    await this.#gateway
      .transact(() => ({ plan, operation: 'invitation.expire', result: undefined }), 'hub')
      .catch(() => {});
  }

  #isLongAway({ id, node, createdAtUnixMs }: NodeDevice, nowUnixMs: number): boolean {
    if (node.ephemeralMinutes === undefined || this.isConnected(id)) return false;
    const seen = this.#gateway.device(id)?.lastHandshakeUnixMs ?? createdAtUnixMs;
    return nowUnixMs - seen > node.ephemeralMinutes * 60_000;
  }
}

/** The members of a device that decide about its visibility. */
function visibilityOf(device: NodeDevice | undefined): string {
  return device === undefined
    ? ''
    : JSON.stringify([device.tags, device.switches, device.addresses, device.node?.knows]);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The DNS label of a name: lower case, with hyphens for what a label cannot have. */
export function labelOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

export function keyText(key: Uint8Array): string {
  return formatKey(key);
}
