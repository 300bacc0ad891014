import { formatKey, parseKey } from '../../control/key-text.js';
import { nodeEnvironment } from '../../host/node-environment.js';
import { SerialQueue } from '../../host/serial-queue.js';
import { Tunnel } from '../../host/tunnel.js';
import type { HubMessage, MapMessage } from '../map/messages.js';
import { readCandidate } from '../paths/candidate.js';
import { PeerPaths } from '../paths/peer-paths.js';
import { ProbeKeys } from '../probes/probe-keys.js';
import { AgentClock } from './agent-clock.js';
import { AgentDevice } from './agent-device.js';
import type { MeshAgentOptions } from './agent-options.js';
import { AgentPolicy } from './agent-policy.js';
import { AgentReport } from './agent-report.js';
import { AgentSockets } from './agent-sockets.js';
import { ControlClient } from './control-client.js';
import { DeviceKey } from './device-key.js';
import { controlUrl, findHub } from './hub-address.js';
import { HubCarrier } from './hub-carrier.js';
import { KnownMap } from './known-map.js';
import { MapIntake } from './map-intake.js';
import { MapWatch } from './map-watch.js';
import type { NodeState } from './node-state.js';
import { PolicedAgentTun } from './policed-agent-tun.js';
import { StateKeeper } from './state-keeper.js';

const FAREWELL_MS = 3_000;
/** Peers have the next key by then: the map goes out before `rotated` does. */
const ROTATE_MS = 3_000;

/**
 * An agent: one device whose peers are those of the map, one socket, and the choice of the way to each peer.
 *
 * The hub is needed to learn of changes and to find direct ways. What stands goes on without it: map, sessions, direct paths.
 */
export class MeshAgent {
  readonly paths: PeerPaths;
  readonly map: KnownMap;
  readonly exitNode: string | undefined;
  /** Called when all is closed. */
  onClosed: () => Promise<void> = async () => {};
  readonly #options: MeshAgentOptions;
  readonly #sockets: AgentSockets;
  readonly #keys: ProbeKeys;
  readonly #policy: AgentPolicy;
  readonly #control: ControlClient;
  readonly #report: AgentReport;
  readonly #carrier: HubCarrier;
  readonly #queue = new SerialQueue();
  readonly #clock: AgentClock;
  readonly #keeper: StateKeeper;
  readonly #intake: MapIntake;
  readonly #watch: MapWatch;
  readonly #timers = new Set<NodeJS.Timeout>();
  #tunnel!: Tunnel;
  #device!: AgentDevice;
  #deviceKey!: DeviceKey;
  #isClosed = false;
  #farewell: (() => void) | undefined;

  /** Opens the socket and starts with the last map. @throws {WireGuardError} ERR_PORT_IN_USE and the like. The TUN is closed then. */
  static async start(options: MeshAgentOptions): Promise<MeshAgent> {
    const agent = new MeshAgent(options);
    await agent.#start();
    return agent;
  }

  private constructor(options: MeshAgentOptions) {
    const { state, crypto, clock } = options;
    this.#options = options;
    this.exitNode = options.exitNode;
    this.#sockets = new AgentSockets(options.findPlace);
    this.map = new KnownMap({ ...state, ...state.map });
    this.#clock = new AgentClock(Date.now, () => clock.nowMs());
    this.#keeper = new StateKeeper(state, this.map, options.save);
    this.#intake = new MapIntake(this.map, this.#keeper, this.#clock);
    this.#watch = new MapWatch({
      map: this.map,
      clock: this.#clock,
      onExpired: () => void this.#queue.run(() => this.#applyMap()),
      onLack: () => this.#askForMap(),
      onClock: (errorMs) => options.onEvent?.({ kind: 'clock', errorMs }),
    });
    this.#keys = new ProbeKeys(crypto);
    this.#policy = new AgentPolicy(this.#clock.nowUnixMs, clock.nowMs());
    this.paths = new PeerPaths({
      clock,
      keys: this.#keys,
      random: nodeEnvironment.random,
      sendProbe: (bytes, to) => this.#sockets.sendProbe(bytes, to),
      askPunch: (node, attempt) => this.#control.send({ type: 'punch', node, attempt }),
      wantCarrier: (isWanted) => this.#carrier.want(isWanted),
      greetHub: () => this.#device.greetHubSoon(),
      onChange: () => this.#report.changed(),
    });
    this.#sockets.find = (number, isKeepalive) => this.paths.find(number, isKeepalive);
    this.#sockets.onProbe = (bytes, from) => this.paths.take(bytes, from);
    this.#control = new ControlClient({
      url: controlUrl(state.hub),
      connect: options.connect,
      onOpen: () => this.#controlOpened(),
      onMessage: (message) => void this.#queue.run(() => this.#take(message)).catch(() => this.#control.reconnect()),
      onClose: () => options.onEvent?.({ kind: 'hub', isConnected: false }),
    });
    this.#report = new AgentReport({
      control: this.#control,
      paths: this.paths,
      port: () => this.#sockets.port,
      subnets: () => this.state.hub.subnets,
    });
    this.#carrier = new HubCarrier({
      sockets: this.#sockets,
      hub: this.paths.hub,
      url: () => this.state.hub.carrierUrl,
      greet: () => this.#device.greetHubSoon(),
      onWanted: () => void this.#resolveHub(),
      isConnected: () => this.isConnected,
      receivedBytes: () => this.#tunnel.peer(this.paths.hub.publicKey)?.rxBytes ?? 0,
      onUnknownKey: () => options.onEvent?.({ kind: 'unknown-key' }),
    });
  }

  get tunnel(): Tunnel {
    return this.#tunnel;
  }

  get state(): NodeState {
    return this.#keeper.state;
  }

  get isConnected(): boolean {
    return this.#control.isOpen;
  }

  /** The hub is reached, and does not know the key of this node. */
  get isKeyUnknown(): boolean {
    return this.#carrier.isKeyUnknown;
  }

  /** By how much this host's clock differs from the hub's; 0: by less than a day. */
  get clockErrorMs(): number {
    return this.#clock.errorMs;
  }

  /** This host has other addresses or routes: every path is sought anew, and the hub learns the address at once. */
  async networkChanged(): Promise<void> {
    this.#tunnel.routesChanged();
    this.paths.networkChanged();
    await this.#device.greetHub();
    this.#control.wake();
    // The answer may have to come through the tunnel, whose ways are sought meanwhile.
    await this.#resolveHub();
  }

  /** Sets the mapping of the router. */
  setPortMapping(mapping: { readonly address: Uint8Array; readonly port: number } | undefined): void {
    this.#report.setPortMapping(mapping);
  }

  /** Makes the next key and announces it. It is used once the hub says that peers know it. */
  rotate(): void {
    this.#control.send(this.#deviceKey.next());
  }

  /** Tells the hub that this node leaves for good, and waits a moment for its word. */
  async leave(): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#farewell = resolve;
      this.#later(FAREWELL_MS, resolve);
    });
    this.#control.send({ type: 'leave' });
    await heard;
    this.#keeper.forget();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    const parts = [this.#watch, this.#carrier, this.#report, this.#control, this.paths, this.#sockets, this.#tunnel];
    for (const part of parts) part.close();
    this.#keys.clear();
    await this.onClosed();
    await this.#keeper.close();
  }

  async #start(): Promise<void> {
    const { crypto, aead, clock, tun, openSocket } = this.#options;
    const policed = new PolicedAgentTun(tun, this.#policy, clock);
    const opener = this.#sockets.opener(openSocket);
    const environment = { ...nodeEnvironment, earliestStampUnixMs: this.#keeper.earliestStampUnixMs };
    this.#tunnel = await Tunnel.create({ crypto, aead, clock, environment, tun: policed, openSocket: opener });
    this.#device = new AgentDevice(this.#tunnel, this.paths, this.map);
    await this.#options.onTunnel?.(this.#tunnel);
    this.paths.findPeer = (publicKey) => this.#tunnel.peer(publicKey);
    void this.#follow();
    this.#deviceKey = new DeviceKey(this.#keeper, this.#tunnel, this.#keys);
    await this.#deviceKey.apply().catch((error) => {
      this.#tunnel.close();
      throw error;
    });
    this.map.expire(this.#clock.nowUnixMs);
    await this.#resolveHub();
    await this.#applyMap();
    await this.#device.greetHub();
    this.paths.runDue();
    this.#control.wake();
    this.#watch.look();
  }

  /** The hub's name may lead elsewhere by now. A name that is not found leaves the address as it is; without any there is the carrier. */
  async #resolveHub(): Promise<void> {
    const { hub } = this.state;
    const found = await findHub(hub, this.#options.lookup);
    const path = this.paths.hub;
    if (found === undefined ? path.udp !== undefined : path.isAt(found.udp, found.second)) return;
    const publicKey = parseKey(hub.publicKey, 'public key');
    path.setHub(publicKey, found?.udp, found?.second, this.#options.clock.nowMs());
  }

  /** Makes packet filter and peers what the map says. */
  async #applyMap(): Promise<void> {
    const { id, addresses, hub, self } = this.state;
    const entries = [...this.map.entries.values()].filter(({ record }) => record.id !== id);
    const me = self === undefined ? { id, addresses, tags: [], routes: [] } : self.record;
    const facts = { self: { ...me, mayBegin: self?.mayBegin ?? false }, entries, hub, rules: this.map.rules };
    this.#policy.set({ ...facts, routes: me.routes }, this.#options.clock.nowMs());
    await this.#device.applyMap(this.state, this.exitNode);
  }

  #controlOpened(): void {
    this.#askForMap();
    this.#control.send({ type: 'offer', routes: [...(this.#options.offeredRoutes ?? [])] });
    this.#report.opened();
    this.#device.relayed.renew();
    this.#options.onEvent?.({ kind: 'hub', isConnected: true });
    if (this.#deviceKey.isDue(this.#clock.nowUnixMs)) this.rotate();
  }

  /** Says which map this agent has, so that the hub sends what has changed since. */
  #askForMap(): void {
    const { rev } = this.map;
    this.#control.send({ type: 'hello', version: 1, ...(rev === undefined ? {} : { rev }) });
  }

  async #take(message: HubMessage): Promise<void> {
    switch (message.type) {
      case 'map':
        return await this.#takeMap(message);
      case 'punch':
        return this.paths.punch(message.node, message.candidates.flatMap(readCandidate), message.inMs);
      case 'rotated':
        this.#later(ROTATE_MS, () => void this.#queue.run(() => this.#useNextKey(message.keySeq)));
        return;
      case 'revoked':
        if (this.#farewell === undefined) this.#options.onEvent?.({ kind: 'revoked', reason: message.reason });
        else this.#farewell();
    }
  }

  async #takeMap(message: MapMessage): Promise<void> {
    const { refused, isHubMoved } = this.#intake.take(message);
    for (const record of refused) this.#options.onEvent?.({ kind: 'refused', record });
    if (isHubMoved) await this.#resolveHub();
    await this.#applyMap();
    // The hub sends few full maps at once, and waits for the word that one was taken in.
    if (message.full) this.#control.send({ type: 'ack', rev: message.rev });
    this.#options.onEvent?.({ kind: 'map', nodes: this.map.entries.size });
    this.#watch.look();
  }

  async #useNextKey(keySeq: number): Promise<void> {
    if (this.state.next?.keySeq !== keySeq || this.#isClosed) return;
    await this.#keeper.useNextKey(this.#clock.nowUnixMs);
    await this.#deviceKey.apply();
    await this.#device.greetHub();
  }

  async #follow(): Promise<void> {
    for await (const { kind, peer } of this.#tunnel.events) {
      if (kind !== 'handshake' || peer === undefined) continue;
      const key = formatKey(peer.publicKey);
      if (key === this.state.hub.publicKey) {
        if (this.#device.relayed.hubShookHands()) this.#control.connect();
        else this.#control.wake();
      }
      if (this.#device.hasMoved(key)) void this.#queue.run(() => this.#applyMap());
    }
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isClosed) run();
    }, ms).unref();
    this.#timers.add(timer);
  }
}
