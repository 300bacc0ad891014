import type { Endpoint } from '../wire/endpoint.js';
import type { DeviceChange, PeerChange } from './configuration.js';
import { MAX_MTU, MAX_PEERS } from './constants.js';
import { DeviceContext } from './device-context.js';
import type { DeviceEvents } from './device-events.js';
import { WireGuardError } from './errors.js';
import { explain } from './explain.js';
import { HandshakeExchange } from './handshake/handshake-exchange.js';
import { Identity } from './handshake/identity.js';
import { TimestampSource } from './handshake/timestamp-source.js';
import type { Counters } from './packets/counters.js';
import { Inbound } from './packets/inbound.js';
import { Outbound } from './packets/outbound.js';
import type { PacketBatch } from './packets/packet-batch.js';
import { Transmitter } from './packets/transmitter.js';
import { Verdict } from './packets/verdict.js';
import type { AeadStage, Crypto, Environment } from './ports.js';
import { Peer } from './session/peer.js';
import { PeerTable } from './session/peer-table.js';
import type { ConfiguredPeer, PeerView, Roaming } from './session/peer-view.js';

/** Peers whose timers are looked at per turn: each may cost a handshake initiation. */
const PEERS_PER_TURN = 16;

export interface DeviceOptions {
  readonly crypto: Crypto;
  readonly environment: Environment;
  readonly aead: AeadStage;
}

/**
 * One WireGuard interface: all its peers and every rule of the protocol, without socket, clock or timer.
 *
 * ```text
 * inbound    classify → (AEAD stage opens) → admit        outbound    route → (AEAD stage seals)
 * and then   runDue, which fills `outbox`, as long as nextDeadline() has passed
 * ```
 *
 * The caller sends `outbox` (rows with a key slot are to be sealed first), writes `replies` to the TUN, and clears both.
 * `nowMs` is monotonic, an integer, the same for all calls of a turn.
 *
 * Source: WireGuard whitepaper.
 */
export class Device {
  readonly #context: DeviceContext;
  readonly #timestamps: TimestampSource;
  readonly #transmitter: Transmitter;
  readonly #exchange: HandshakeExchange;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #peers = new PeerTable();

  constructor({ crypto, environment, aead }: DeviceOptions) {
    this.#context = new DeviceContext(crypto, environment, aead);
    this.#timestamps = new TimestampSource(environment);
    this.#transmitter = new Transmitter(this.#context, this.#timestamps);
    this.#exchange = new HandshakeExchange(this.#context, this.#transmitter, (key) => this.#peers.get(key));
    this.#inbound = new Inbound(this.#context, this.#exchange);
    this.#outbound = new Outbound(this.#context);
  }

  /** Messages for the socket. */
  get outbox(): PacketBatch {
    return this.#context.outbox;
  }

  /** Packets for the TUN: ICMP answers. */
  get replies(): PacketBatch {
    return this.#context.replies;
  }

  /** The stage that holds the keys of the sessions: it alone can seal and open the device's rows. */
  get aead(): AeadStage {
    return this.#context.aead;
  }

  get counters(): Counters {
    return this.#context.counters;
  }

  /** What happened: to be drained by whoever wants to know it. */
  get events(): DeviceEvents {
    return this.#context.events;
  }

  get isUp(): boolean {
    return this.#context.isUp;
  }

  /** The device's own bytes: to be copied, not kept. */
  get publicKey(): Uint8Array | undefined {
    return this.#context.identity?.staticPublic;
  }

  /** The device's own bytes: to be copied, not kept. */
  get privateKey(): Uint8Array | undefined {
    return this.#context.identity?.staticPrivate;
  }

  /** In the order in which they were added. */
  get peers(): Iterable<PeerView> {
    return this.#peers.values();
  }

  /** The peers with their preshared keys, for whoever writes the configuration. */
  get configuredPeers(): Iterable<ConfiguredPeer> {
    return this.#peers.values();
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  peer(publicKey: Uint8Array): PeerView | undefined {
    return this.#peers.get(publicKey);
  }

  /** Finds the key for each message. Believes nothing and changes nothing but the batch. */
  classify(batch: PacketBatch, nowMs: number): void {
    this.#inbound.classify(batch, nowMs);
  }

  /** Applies what the opened messages say, and leaves the rows that hold packets for the TUN with verdict `Pass`. */
  admit(batch: PacketBatch, nowMs: number): void {
    this.#inbound.admit(batch, nowMs);
  }

  /** Makes packets into messages that are ready to be sealed; what cannot go yet is staged. */
  route(batch: PacketBatch, nowMs: number): void {
    this.#outbound.route(batch, nowMs);
  }

  /** When `runDue` has to be called next: not later than `nowMs` when work waits already, `Infinity` when idle. */
  nextDeadline(): number {
    const { deadlines, flushQueue } = this.#context;
    if (this.#exchange.queue.count > 0 || flushQueue.length > 0) return 0;
    return deadlines.nextDeadline();
  }

  /** Does what is due, a bounded part of it: call again while `nextDeadline()` has passed, with an empty outbox. */
  runDue(nowMs: number): void {
    this.#exchange.process(nowMs);
    this.#expireTimers(nowMs);
    this.#transmitter.flush(nowMs);
  }

  /** @throws {WireGuardError} ERR_TOO_MANY_PEERS. Nothing has changed then. */
  checkChange(change: DeviceChange): void {
    if (!this.#peers.hasRoomFor(change, MAX_PEERS))
      throw new WireGuardError('ERR_TOO_MANY_PEERS', `more than ${MAX_PEERS} peers`);
  }

  /** Applies private key and peers of a change that `checkChange` passed. Port and mark are the host's. */
  applyChange(change: DeviceChange, nowMs: number): void {
    if (change.privateKey !== undefined) this.#setPrivateKey(change.privateKey, nowMs);
    const replaced = change.replacePeers ? [...this.#peers.values()] : [];
    for (const peer of replaced) this.#removePeer(peer, nowMs);
    for (const peerChange of change.peers) this.#applyPeerChange(peerChange, nowMs);
    for (const peer of replaced) this.#peers.get(peer.staticPublic)?.continueTimestamps(peer);
  }

  /** Link up: keepalives leave at once. Link down: sessions are wiped, nothing is sent or believed. */
  setLinkUp(isUp: boolean, nowMs: number): void {
    if (isUp === this.#context.isUp) return;
    this.#context.isUp = isUp;
    if (this.#context.isReady) this.#start(nowMs);
    if (!isUp) for (const peer of this.#peers.values()) this.#stop(peer, nowMs);
  }

  /** Wipes all sessions and handshakes, as a link does that goes down and up. */
  restart(nowMs: number): void {
    if (!this.#context.isUp) return;
    this.setLinkUp(false, nowMs);
    this.setLinkUp(true, nowMs);
  }

  /** @param mtu Of the TUN, 0 to 65,535. Caps the padding. */
  setMtu(mtu: number): void {
    this.#context.mtu = Math.min(mtu, MAX_MTU);
  }

  /** Tells which port the outer datagrams leave from, so that they are known when they come back. */
  setListenPort(port: number): void {
    this.#context.listenPort = port;
  }

  /**
   * Sends to `endpoint` from now on: for whoever chooses the path, apart from configuration.
   *
   * @param endpoint Copied.
   * @param roaming `pinned`: the endpoint stays until it is set again, wherever messages come from.
   */
  setEndpoint({ publicKey }: PeerView, endpoint: Endpoint, roaming: Roaming = 'follow'): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    peer.roaming = roaming;
    peer.setEndpoint(endpoint);
    if (peer.staged.count > 0) this.#context.requestFlush(peer);
  }

  /** Copies the preshared key of a peer, 32 zero bytes if it has none. The caller clears `out`. */
  readPresharedKey({ publicKey }: PeerView, out: Uint8Array): void {
    out.set(this.#peers.get(publicKey)?.presharedKey ?? new Uint8Array(out.length));
  }

  /** Has the system choose the source again for the endpoints that the host finds stale. */
  forgetSources(shouldForget: (endpoint: Endpoint) => boolean): void {
    for (const peer of this.#peers.values())
      if (peer.endpoint?.hasSource && shouldForget(peer.endpoint)) peer.forgetSource();
  }

  /** Has the system choose the source of datagrams to a peer again. */
  forgetSource({ publicKey }: PeerView): void {
    this.#peers.get(publicKey)?.forgetSource();
  }

  /** Why there is no session with `peer`, in a sentence. */
  explain({ publicKey }: PeerView, nowMs: number): string {
    const peer = this.#peers.get(publicKey);
    return peer === undefined ? 'The peer was removed.' : explain(this.#context, this.#exchange, peer, nowMs);
  }

  /** Wipes every secret. The device is of no use afterwards. */
  close(): void {
    for (const peer of [...this.#peers.values()]) this.#removePeer(peer, 0);
    this.#context.events.drain(); // the end of the device is nobody's news
    this.#context.identity?.wipe();
    this.#context.identity = undefined;
    this.#context.isUp = false;
    this.#exchange.queue.clear();
  }

  #expireTimers(nowMs: number): void {
    const { deadlines } = this.#context;
    for (let i = 0; i < PEERS_PER_TURN && this.#transmitter.hasRoom(); i++) {
      const timers = deadlines.first();
      if (timers === undefined || timers.queuedAt > nowMs) return;
      timers.expire(nowMs);
    }
  }

  #setPrivateKey(privateKey: Uint8Array, nowMs: number): void {
    const { identity, crypto } = this.#context;
    const next = Identity.from(crypto, privateKey);
    if (identity !== undefined && next?.equals(identity)) {
      next.wipe();
      return;
    }

    const wasReady = this.#context.isReady;
    const ownPeer = next && this.#peers.get(next.staticPublic);
    if (ownPeer !== undefined) this.#removePeer(ownPeer, nowMs);
    this.#context.identity = next;
    this.#exchange.cookies.setPublicKey(next?.staticPublic);
    for (const peer of this.#peers.values()) this.#adoptIdentity(peer, nowMs);
    identity?.wipe();
    if (!wasReady && this.#context.isReady) this.#start(nowMs);
  }

  /** Sessions made with the old key seal nothing more, and new ones may start at once, as they do for what waits. */
  #adoptIdentity(peer: Peer, nowMs: number): void {
    peer.forgetStaticStatic();
    peer.dropPendingHandshake(this.#context.releaseIndex);
    if (this.#context.identity === undefined) {
      this.#stop(peer, nowMs);
      return;
    }
    if (!peer.hasTimers) return;
    peer.timers.handshakeCompleted();
    peer.timers.allowHandshake();
    peer.keypairs.stopSealing();
    if (peer.staged.count > 0 || peer.isKeepaliveOwed) peer.timers.handshakeWanted(nowMs);
  }

  #applyPeerChange(change: PeerChange, nowMs: number): void {
    const existing = this.#peers.get(change.publicKey);
    if (change.isRemoval) {
      if (existing !== undefined) this.#removePeer(existing, nowMs);
      return;
    }
    if (this.#context.identity?.hasPublicKey(change.publicKey)) return;
    if (existing === undefined && change.isUpdateOnly) return;
    const peer = existing ?? this.#addPeer(change.publicKey);

    if (change.presharedKey !== undefined) peer.setPresharedKey(change.presharedKey);
    if (change.endpoint !== undefined) peer.setEndpoint(change.endpoint);
    this.#changeAllowedIps(peer, change);
    if (change.persistentKeepaliveSeconds !== undefined)
      this.#setPersistentKeepalive(peer, change.persistentKeepaliveSeconds, nowMs);
    if (peer.staged.count > 0) this.#context.requestFlush(peer);
  }

  #changeAllowedIps(peer: Peer, change: PeerChange): void {
    const { allowedIps } = this.#context;
    if (change.replaceAllowedIps) allowedIps.removeAll(peer);
    for (const prefix of change.allowedIps) {
      if (prefix.isRemoval) allowedIps.remove(prefix, peer);
      else allowedIps.insert(prefix, peer);
    }
  }

  #setPersistentKeepalive(peer: Peer, seconds: number, nowMs: number): void {
    const isNew = peer.persistentKeepaliveSeconds === 0;
    if (seconds === peer.persistentKeepaliveSeconds) return;
    peer.persistentKeepaliveSeconds = seconds;
    if (this.#context.isReady) peer.timers.setPersistentKeepalive(seconds * 1_000, nowMs, isNew);
  }

  #addPeer(publicKey: Uint8Array): Peer {
    const peer = new Peer(publicKey, this.#context, this.#transmitter);
    this.#peers.add(peer);
    return peer;
  }

  #removePeer(peer: Peer, nowMs: number): void {
    this.#stop(peer, nowMs);
    peer.isRemoved = true;
    this.#timestamps.retire(peer.timestampStep);
    if (peer.hasTimers) this.#context.deadlines.remove(peer.timers);
    this.#context.allowedIps.removeAll(peer);
    this.#peers.delete(peer);
    peer.setEndpoint(undefined);
    peer.wipeSecrets();
  }

  #start(nowMs: number): void {
    for (const peer of this.#peers.values()) {
      const { persistentKeepaliveSeconds: seconds } = peer;
      if (seconds !== 0 || peer.hasTimers) peer.timers.setPersistentKeepalive(seconds * 1_000, nowMs, true);
    }
  }

  #stop(peer: Peer, nowMs: number): void {
    this.#context.dropStaged(peer, Verdict.DeviceDown);
    peer.isKeepaliveOwed = false;
    if (!peer.hasTimers) return;
    peer.timers.stop();
    this.#context.wipeSessions(peer, nowMs);
  }
}
