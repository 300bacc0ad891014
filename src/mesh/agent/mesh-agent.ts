import type { Duplex } from 'node:stream';

import { parseEndpoint } from '../../control/endpoint-text.js';
import { formatKey, parseKey } from '../../control/key-text.js';
import type { AeadStage, Crypto } from '../../core/ports.js';
import { generateKeyPair } from '../../crypto/key-pair.js';
import type { Clock } from '../../host/clock.js';
import { nodeEnvironment } from '../../host/node-environment.js';
import { SerialQueue } from '../../host/serial-queue.js';
import type { Tun } from '../../host/tun.js';
import { type OpenSocket, Tunnel } from '../../host/tunnel.js';
import { Endpoint } from '../../wire/endpoint.js';
import type { HubMessage, MapEntry, MapMessage } from '../map/messages.js';
import { peerEndpoint } from '../paths/agent-path-socket.js';
import { HUB_NUMBER, PeerPaths } from '../paths/peer-paths.js';
import { ProbeKeys } from '../probes/probe-keys.js';
import { fromBase64, keySignedBytes } from '../records/node-record.js';
import { SigningKey } from '../records/signing.js';
import { AgentPolicy } from './agent-policy.js';
import { AgentReport } from './agent-report.js';
import { AgentSockets } from './agent-sockets.js';
import { ControlClient } from './control-client.js';
import { KnownMap, type RefusedRecord } from './known-map.js';
import { localCandidates } from './local-candidates.js';
import type { NodeState } from './node-state.js';
import { PolicedAgentTun } from './policed-agent-tun.js';
import { HUB, peerChanges, type WantedPeer, wantedPeers } from './wanted-peers.js';

const NO_ZONES = { nameOf: () => undefined, indexOf: () => undefined };
const SAVE_MS = 1_000;
const FAREWELL_MS = 3_000;
const ROUND_MS = 3_600_000;
/** The carrier stays open while messages go both ways. */
const CARRIER_LINGERS_MS = 5_000;
/** Peers have the next key by then: the map goes out before `rotated` does. */
const ROTATE_MS = 3_000;
const ROTATE_AFTER_MS = 90 * 86_400_000;
/** A host without a battery for its clock wakes up years ago. */
const MAX_CLOCK_ERROR_MS = 86_400_000;

export type AgentEvent =
  | { readonly kind: 'map'; readonly nodes: number }
  | { readonly kind: 'refused'; readonly record: RefusedRecord }
  | { readonly kind: 'hub'; readonly isConnected: boolean }
  | { readonly kind: 'path'; readonly node: string; readonly path: string }
  | { readonly kind: 'revoked'; readonly reason: string }
  | { readonly kind: 'clock'; readonly errorMs: number };

export interface MeshAgentOptions {
  readonly state: NodeState;
  readonly save: (state: NodeState) => Promise<void>;
  readonly crypto: Crypto;
  readonly aead: AeadStage;
  readonly clock: Clock;
  readonly openSocket: OpenSocket;
  readonly tun: Tun;
  /** Opens a TCP connection inside of the tunnel. */
  readonly connect: (host: string, port: number) => Duplex;
  /** Looks the name of the hub up. */
  readonly lookup: (host: string) => Promise<string>;
  /** Ranges that this host offers to lead to. */
  readonly offeredRoutes?: readonly string[];
  /** Name or id of the node that all other traffic goes out by. */
  readonly exitNode?: string;
  readonly nowUnixMs?: () => number;
  readonly onEvent?: (event: AgentEvent) => void;
  /** Called once the tunnel is there, before it has a key. */
  readonly onTunnel?: (tunnel: Tunnel) => void;
}

/**
 * An agent: one device whose peers are those of the map, one socket, and the choice of the way to each peer.
 *
 * The hub is needed to learn of changes and to find direct ways. What stands goes on without it: map, sessions, direct paths.
 */
export class MeshAgent {
  readonly paths: PeerPaths;
  readonly map: KnownMap;
  /** Called when all is closed. */
  onClosed: () => Promise<void> = async () => {};
  readonly #options: MeshAgentOptions;
  readonly #sockets = new AgentSockets();
  readonly #keys: ProbeKeys;
  readonly #policy: AgentPolicy;
  readonly #control: ControlClient;
  readonly #report: AgentReport;
  readonly #queue = new SerialQueue();
  readonly #movedTo = new Map<string, string>();
  /** Entries whose paths are as they say. */
  readonly #applied = new Map<string, MapEntry>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #state: NodeState;
  #tunnel!: Tunnel;
  #peers: readonly WantedPeer[] = [];
  #clockErrorMs = 0;
  #saving: NodeJS.Timeout | undefined;
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
    this.#state = state;
    this.map = new KnownMap({ ...state, ...state.map });
    this.#keys = new ProbeKeys(crypto);
    this.#policy = new AgentPolicy(this.nowUnixMs, clock.nowMs());
    this.paths = new PeerPaths({
      clock,
      keys: this.#keys,
      random: nodeEnvironment.random,
      sendProbe: (bytes, to) => this.#sockets.sendProbe(bytes, to),
      askPunch: (node, attempt) => this.#control.send({ type: 'punch', node, attempt }),
      wantCarrier: (isWanted) => this.#carry(isWanted),
      onChange: () => this.#report.changed(),
    });
    this.#sockets.find = (number, isKeepalive) => this.paths.find(number, isKeepalive);
    this.#sockets.onProbe = (bytes, from) => this.paths.take(bytes, from);
    const host = state.hub.addresses[0]!;
    this.#control = new ControlClient({
      url: `ws://${host.includes(':') ? `[${host}]` : host}/mesh/control`,
      connect: options.connect,
      onOpen: () => this.#controlOpened(),
      onMessage: (message) => void this.#queue.run(() => this.#take(message)).catch(() => this.#control.reconnect()),
      onClose: () => options.onEvent?.({ kind: 'hub', isConnected: false }),
    });
    this.#report = new AgentReport({
      control: this.#control,
      paths: this.paths,
      port: () => this.#sockets.port,
      subnets: () => this.#state.hub.subnets,
    });
  }

  get tunnel(): Tunnel {
    return this.#tunnel;
  }

  get state(): NodeState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#control.isOpen;
  }

  /** The wall clock, corrected by the hub's where that one signs the records anyway. */
  get nowUnixMs(): number {
    return (this.#options.nowUnixMs ?? Date.now)() + this.#clockErrorMs;
  }

  /** This host has other addresses or routes: every path is sought anew, and the hub learns the address at once. */
  async networkChanged(): Promise<void> {
    this.#tunnel.routesChanged();
    await this.#resolveHub();
    this.paths.networkChanged();
    await this.#greetHub();
    this.#control.wake();
  }

  /** Addresses of this host by which others might reach it. */
  localAddresses(): readonly string[] {
    return localCandidates({ port: 1, subnets: this.#state.hub.subnets, mapped: undefined }).map(
      ({ address }) => address,
    );
  }

  /** Sets the mapping of the router. */
  setPortMapping(mapping: { readonly address: Uint8Array; readonly port: number } | undefined): void {
    this.#report.setPortMapping(mapping);
  }

  /** Makes the next key and announces it. It is used once the hub says that peers know it. */
  async rotate(): Promise<void> {
    const { privateKey, publicKey } = generateKeyPair();
    const keySeq = this.#state.keySeq + 1;
    const identity = SigningKey.fromPem(this.#state.identity);
    const signed = keySignedBytes(fromBase64(this.#state.networkId), this.#state.id, formatKey(publicKey), keySeq);
    await this.#change({ next: { privateKey: formatKey(privateKey), keySeq } });
    privateKey.fill(0);
    const signature = Buffer.from(identity.sign(signed)).toString('base64');
    this.#control.send({ type: 'rotate', publicKey: formatKey(publicKey), keySeq, signature });
  }

  /** Tells the hub that this node leaves for good, and waits a moment for its word. */
  async leave(): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.#farewell = resolve;
      this.#later(FAREWELL_MS, resolve);
    });
    this.#control.send({ type: 'leave' });
    await heard;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#saving);
    this.#report.close();
    this.#control.close();
    this.paths.close();
    this.#sockets.close();
    this.#tunnel.close();
    this.#keys.clear();
    await this.onClosed();
    await this.#save();
  }

  async #start(): Promise<void> {
    const { crypto, aead, clock, tun, openSocket } = this.#options;
    const policed = new PolicedAgentTun(tun, this.#policy, clock);
    this.#tunnel = await Tunnel.create({
      crypto,
      aead,
      clock,
      tun: policed,
      openSocket: this.#sockets.opener(openSocket),
    });
    this.#options.onTunnel?.(this.#tunnel);
    this.paths.heardFrom = (publicKey) => this.#tunnel.peer(publicKey)?.heardFrom;
    void this.#follow();
    await this.#applyKey().catch((error) => {
      this.#tunnel.close();
      throw error;
    });
    await this.#resolveHub();
    await this.#applyMap();
    await this.#greetHub();
    this.paths.runDue();
    this.#control.wake();
    this.#later(ROUND_MS, () => this.#round());
  }

  async #applyKey(): Promise<void> {
    const privateKey = parseKey(this.#state.privateKey, 'private key');
    this.#keys.setPrivateKey(privateKey);
    const { listenPort } = this.#state;
    const change = { privateKey, replacePeers: false, peers: [] };
    const isPortWanted = listenPort !== 0 && this.#tunnel.state.listenPort !== listenPort;
    await this.#tunnel.apply(isPortWanted ? { ...change, listenPort } : change).catch(async (error) => {
      if (!isPortWanted || error.code !== 'ERR_PORT_IN_USE') throw error;
      await this.#tunnel.apply(change); // another port will do
    });
    privateKey.fill(0);
    await this.#change({ listenPort: this.#tunnel.state.listenPort });
  }

  /** The hub's name may lead elsewhere by now. A name that is not found leaves the address as it is; without any there is the carrier. */
  async #resolveHub(): Promise<void> {
    const { publicKey, endpoint, secondPort } = this.#state.hub;
    const at = endpoint.lastIndexOf(':');
    const host = endpoint.slice(0, at).replace(/^\[|\]$/g, '');
    const address = await this.#options.lookup(host).catch(() => undefined);
    const key = parseKey(publicKey, 'public key');
    if (address === undefined) {
      if (this.paths.hub.endpoint === undefined)
        this.paths.hub.setHub(key, undefined, undefined, this.#options.clock.nowMs());
      return;
    }
    const udp = parseEndpoint(
      address.includes(':') ? `[${address}]:${endpoint.slice(at + 1)}` : `${address}${endpoint.slice(at)}`,
      NO_ZONES,
    );
    const second = udp === undefined || secondPort === undefined ? undefined : Endpoint.from(udp.address, secondPort);
    this.paths.hub.setHub(key, udp, second, this.#options.clock.nowMs());
  }

  /** Makes peers and packet filter what the map says. */
  async #applyMap(): Promise<void> {
    const { hub, mode, self } = this.#state;
    const entries = [...this.map.entries.values()].filter(({ record }) => record.id !== this.#state.id);
    const exitNode = this.#findNode(this.#options.exitNode);
    const wanted = wantedPeers({ hub, mode, entries, exitNode, movedTo: this.#movedTo });
    this.#updatePaths(wanted);
    const changes = peerChanges(this.#peers, wanted).map((change) =>
      change.isRemoval ? change : { ...change, endpoint: this.#endpointOf(wanted, change.publicKey) },
    );
    const { id, addresses } = this.#state;
    const me = self === undefined ? { id, addresses, tags: [], routes: [] } : self.record;
    const facts = { self: { ...me, mayBegin: self?.mayBegin ?? false }, entries, hub, rules: this.map.rules };
    this.#policy.set({ ...facts, routes: me.routes }, this.#options.clock.nowMs());
    if (changes.length > 0) await this.#tunnel.apply({ replacePeers: false, peers: changes });
    for (const { publicKey, isRemoval } of changes)
      if (!isRemoval) this.#tunnel.setEndpoint(publicKey, this.#endpointOf(wanted, publicKey), 'pinned');
    for (const { node, publicKey, allowedIps } of wanted)
      if (allowedIps.length === 0) this.#letStandFor(node, publicKey, wanted);
    this.#peers = wanted;
  }

  #letStandFor(node: string, nextKey: string, wanted: readonly WantedPeer[]): void {
    const present = wanted.find((peer) => peer.node === node && peer.allowedIps.length > 0)?.publicKey;
    if (present !== undefined) this.#tunnel.letStandFor(parseKey(nextKey, 'next key'), parseKey(present, 'public key'));
  }

  #updatePaths(wanted: readonly WantedPeer[]): void {
    const nodes = new Set(wanted.map(({ node }) => node));
    for (const { node } of this.#peers) {
      if (nodes.has(node)) continue;
      this.paths.remove(node);
      this.#applied.delete(node);
    }
    for (const { node, publicKey, allowedIps } of wanted) {
      if (node === HUB || allowedIps.length === 0) continue; // a next key has no addresses yet
      const entry = this.map.entries.get(node)!;
      const { endpoint } = entry;
      if (this.#applied.get(node) === entry) continue;
      this.#applied.set(node, entry);
      const fixed = endpoint === undefined ? undefined : parseEndpoint(endpoint, NO_ZONES);
      this.paths.put(node, parseKey(publicKey, 'public key'), fixed);
    }
  }

  #endpointOf(wanted: readonly WantedPeer[], publicKey: Uint8Array): Endpoint {
    const { node } = wanted.find((peer) => peer.publicKey === formatKey(publicKey))!;
    return peerEndpoint(node === HUB ? HUB_NUMBER : this.paths.numberOf(node));
  }

  #findNode(name: string | undefined): string | undefined {
    if (name === undefined) return undefined;
    return [...this.map.entries.values()].find(({ record }) => record.id === name || record.name === name)?.record.id;
  }

  #controlOpened(): void {
    const { rev } = this.map;
    this.#control.send({ type: 'hello', version: 1, ...(rev === undefined ? {} : { rev }) });
    this.#control.send({ type: 'offer', routes: [...(this.#options.offeredRoutes ?? [])] });
    this.#report.opened();
    this.#options.onEvent?.({ kind: 'hub', isConnected: true });
    const isOld = this.nowUnixMs - this.#state.keyMadeUnixMs > ROTATE_AFTER_MS;
    if (isOld || this.#state.next !== undefined) void this.rotate();
  }

  async #take(message: HubMessage): Promise<void> {
    switch (message.type) {
      case 'map':
        return await this.#takeMap(message);
      case 'punch': {
        const candidates = message.candidates.flatMap(({ address, kind }) => {
          const endpoint = parseEndpoint(address, NO_ZONES);
          return endpoint === undefined ? [] : [{ endpoint, kind }];
        });
        this.paths.punch(message.node, candidates, message.inMs);
        return;
      }
      case 'rotated':
        this.#later(ROTATE_MS, () => void this.#queue.run(() => this.#useNextKey(message.keySeq)));
        return;
      case 'revoked':
        if (this.#farewell === undefined) this.#options.onEvent?.({ kind: 'revoked', reason: message.reason });
        else this.#farewell();
    }
  }

  async #takeMap(message: MapMessage): Promise<void> {
    this.#readClock(message.unixMs);
    const refused = this.map.apply(message, this.nowUnixMs);
    for (const record of refused) this.#options.onEvent?.({ kind: 'refused', record });
    const isSelfGood = message.self !== undefined && this.#isOwn(message.self);
    const self = isSelfGood ? message.self : this.#state.self;
    const hub = message.hub?.publicKey === this.#state.hub.publicKey ? message.hub : this.#state.hub;
    const isHubMoved = hub.endpoint !== this.#state.hub.endpoint || hub.secondPort !== this.#state.hub.secondPort;
    const named = self === undefined ? {} : { self, name: self.record.name, addresses: self.record.addresses };
    await this.#change({ hub, ...named });
    if (isHubMoved) await this.#resolveHub();
    await this.#applyMap();
    this.#control.send({ type: 'ack', rev: message.rev });
    this.#options.onEvent?.({ kind: 'map', nodes: this.map.entries.size });
  }

  /** Another node's record as this node's own would be a lie, or a mistake. */
  #isOwn(entry: MapEntry): boolean {
    return entry.record.id === this.#state.id && this.map.problemOf(entry, this.nowUnixMs) === undefined;
  }

  /** The hub signs in mode `auto`, so that its clock decides anyway; in mode `locked` a wrong clock is only reported. */
  #readClock(hubUnixMs: number): void {
    const errorMs = hubUnixMs - (this.#options.nowUnixMs ?? Date.now)();
    const isWrong = Math.abs(errorMs) > MAX_CLOCK_ERROR_MS;
    if (isWrong) this.#options.onEvent?.({ kind: 'clock', errorMs });
    this.#clockErrorMs = isWrong && this.#state.mode === 'auto' ? errorMs : 0;
  }

  async #useNextKey(keySeq: number): Promise<void> {
    const { next } = this.#state;
    if (next?.keySeq !== keySeq || this.#isClosed) return;
    const { next: _, ...rest } = this.#state;
    this.#state = { ...rest, privateKey: next.privateKey, keySeq, keyMadeUnixMs: this.nowUnixMs };
    await this.#save();
    await this.#applyKey();
    await this.#greetHub();
  }

  async #follow(): Promise<void> {
    for await (const { kind, peer } of this.#tunnel.events) {
      if (kind !== 'handshake' || peer === undefined) continue;
      const key = formatKey(peer.publicKey);
      if (key === this.#state.hub.publicKey) this.#control.wake();
      const entry = [...this.map.entries.values()].find(({ record }) => record.next?.publicKey === key);
      if (entry === undefined || this.#movedTo.get(entry.record.id) === key) continue;
      this.#movedTo.set(entry.record.id, key);
      this.#applied.delete(entry.record.id);
      void this.#queue.run(() => this.#applyMap());
    }
  }

  /** A persistent keepalive that is switched on is sent at once: the hub learns where this host is. */
  async #greetHub(): Promise<void> {
    const hub = this.#peers.find(({ node }) => node === HUB);
    if (hub === undefined) return;
    const [off, on] = peerChanges([], [{ ...hub, keepalive: 0 }, hub]);
    await this.#tunnel.apply({ replacePeers: false, peers: [{ ...off!, isUpdateOnly: true }] });
    await this.#tunnel.apply({ replacePeers: false, peers: [{ ...on!, isUpdateOnly: true }] });
  }

  #carry(isWanted: boolean): void {
    if (isWanted) {
      this.#sockets.carry(this.#state.hub.carrierUrl, (endpoint) => {
        this.paths.hub.setCarrier(endpoint);
        if (endpoint !== undefined) void this.#greetHub();
      });
      return;
    }
    void this.#greetHub();
    this.#later(CARRIER_LINGERS_MS, () => {
      if (!this.paths.hub.isCarried) this.#sockets.carry(undefined, () => {});
    });
  }

  #round(): void {
    const expired = this.map.expire(this.nowUnixMs);
    if (expired.length > 0) void this.#queue.run(() => this.#applyMap());
    this.#later(Math.max(1_000, Math.min(ROUND_MS, this.map.nextExpiryUnixMs - this.nowUnixMs)), () => this.#round());
  }

  async #change(change: Partial<NodeState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    this.#saving ??= setTimeout(() => void this.#save().catch(() => {}), SAVE_MS).unref();
  }

  async #save(): Promise<void> {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    const { rev, rules } = this.map;
    const map = { entries: [...this.map.entries.values()], rules: [...rules], ...(rev === undefined ? {} : { rev }) };
    this.#state = { ...this.#state, map, seen: Object.fromEntries(this.map.seen) };
    await this.#options.save(this.#state);
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#isClosed) run();
    }, ms).unref();
    this.#timers.add(timer);
  }
}
