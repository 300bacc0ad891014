import type { Endpoint } from '../wire/endpoint.js';
import type { DeviceChange } from './configuration.js';
import { MAX_MTU, STAGED_BUDGET_BYTES } from './constants.js';
import { DeviceConfiguration } from './device-configuration.js';
import { DeviceEvents } from './device-events.js';
import type { DeviceParts } from './device-parts.js';
import { explain } from './explain.js';
import { HandshakeExchange } from './handshake/handshake-exchange.js';
import { TimestampSource } from './handshake/timestamp-source.js';
import { LinkState } from './link-state.js';
import { Counters } from './packets/counters.js';
import { Inbound } from './packets/inbound.js';
import { Outbound } from './packets/outbound.js';
import { Outbox } from './packets/outbox.js';
import type { PacketBatch } from './packets/packet-batch.js';
import { Transmitter } from './packets/transmitter.js';
import type { AeadStage, Crypto, Environment } from './ports.js';
import { RandomFractions } from './random-fractions.js';
import { AllowedIps } from './routing/allowed-ips.js';
import { ByteBudget } from './session/byte-budget.js';
import { DeadlineQueue } from './session/deadline-queue.js';
import type { Peer, PeerSurroundings } from './session/peer.js';
import { PeerTable } from './session/peer-table.js';
import type { PeerTimers } from './session/peer-timers.js';
import type { ConfiguredPeer, PeerView, Roaming } from './session/peer-view.js';
import { Sessions } from './session/sessions.js';
import type { SessionReason } from './session-reason.js';

/** Peers whose timers are run per turn: each peer may cost a handshake initiation. */
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
 * The caller sends `outbox` (rows with a key slot must be sealed first), writes `replies` to the TUN, and clears both.
 * `nowMs` is monotonic, an integer, the same for all calls of a turn.
 *
 * Source: WireGuard whitepaper.
 */
export class Device {
  readonly #link = new LinkState();
  readonly #peers = new PeerTable();
  readonly #deadlines = new DeadlineQueue<PeerTimers<Peer>>();
  readonly #parts: DeviceParts;
  readonly #transmitter: Transmitter;
  readonly #exchange: HandshakeExchange;
  readonly #inbound: Inbound;
  readonly #outbound: Outbound;
  readonly #configuration: DeviceConfiguration;

  constructor({ crypto, environment, aead }: DeviceOptions) {
    const [counters, events, link] = [new Counters(), new DeviceEvents(), this.#link];
    const sessions = new Sessions(environment, aead, events);
    const [outbox, allowedIps] = [new Outbox(counters), new AllowedIps<Peer>()];
    const timestamps = new TimestampSource(environment);
    this.#parts = { crypto, environment, link, sessions, outbox, allowedIps, counters, events };
    this.#transmitter = new Transmitter(this.#parts, timestamps);
    this.#exchange = new HandshakeExchange(this.#parts, (key) => this.#peers.get(key));
    this.#inbound = new Inbound(this.#parts, this.#exchange);
    this.#outbound = new Outbound(this.#parts);
    this.#configuration = new DeviceConfiguration({
      parts: this.#parts,
      link,
      surroundings: this.#peerSurroundings(),
      timestamps,
      cookies: this.#exchange.cookies,
      peers: this.#peers,
    });
  }

  /** Messages for the socket. */
  get outbox(): PacketBatch {
    return this.#parts.outbox.messages;
  }

  /** Packets for the TUN: ICMP answers. */
  get replies(): PacketBatch {
    return this.#parts.outbox.replies;
  }

  /** The stage that holds the keys of the sessions: it alone can seal and open the device's rows. */
  get aead(): AeadStage {
    return this.#parts.sessions.aead;
  }

  get counters(): Counters {
    return this.#parts.counters;
  }

  /** The latest events, which the host may drain. */
  get events(): DeviceEvents {
    return this.#parts.events;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  /** The device's own bytes: to be copied, not kept. */
  get publicKey(): Uint8Array | undefined {
    return this.#link.identity?.staticPublic;
  }

  /** The device's own bytes: to be copied, not kept. */
  get privateKey(): Uint8Array | undefined {
    return this.#link.identity?.staticPrivate;
  }

  /** The peers in the order in which they were added. */
  get peers(): Iterable<PeerView> {
    return this.#peers.values();
  }

  /** The peers with their preshared keys, for writing the configuration. */
  get configuredPeers(): Iterable<ConfiguredPeer> {
    return this.#peers.values();
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  peer(publicKey: Uint8Array): PeerView | undefined {
    return this.#peers.get(publicKey);
  }

  /** Finds the key for each message. Trusts no message and changes nothing but the batch. */
  classify(batch: PacketBatch, nowMs: number): void {
    this.#inbound.classify(batch, nowMs);
  }

  /** Applies the effects of opened messages. Rows with packets for the TUN keep verdict `Pass`. */
  admit(batch: PacketBatch, nowMs: number): void {
    this.#inbound.admit(batch, nowMs);
  }

  /** Makes packets into messages that are ready to be sealed; packets without a session are staged. */
  route(batch: PacketBatch, nowMs: number): void {
    this.#outbound.route(batch, nowMs);
  }

  /** Returns the time at which `runDue` must be called next: at most `nowMs` if work waits, `Infinity` when idle. */
  nextDeadline(): number {
    if (this.#exchange.queue.count > 0 || this.#parts.outbox.firstToFlush !== undefined) return 0;
    return this.#deadlines.nextDeadline();
  }

  /**
   * Runs a bounded part of the due work. Must be called again while `nextDeadline()` has passed, with an empty outbox.
   */
  runDue(nowMs: number): void {
    this.#exchange.process(nowMs);
    this.#expireTimers(nowMs);
    this.#transmitter.flush(nowMs);
  }

  /** @throws {WireGuardError} ERR_TOO_MANY_PEERS. Nothing has changed then. */
  checkChange(change: DeviceChange): void {
    this.#configuration.check(change);
  }

  /** Applies private key and peers of a change that `checkChange` accepted. The host applies port and mark. */
  applyChange(change: DeviceChange, nowMs: number): void {
    this.#configuration.apply(change, nowMs);
  }

  /**
   * Sets the link state. Link up: keepalives are sent at once. Link down: sessions are wiped and all traffic is
   * dropped.
   */
  setLinkUp(isUp: boolean, nowMs: number): void {
    this.#configuration.setLinkUp(isUp, nowMs);
  }

  /** Wipes all sessions and handshakes, as setting the link down and up does. */
  restart(nowMs: number): void {
    if (!this.#link.isUp) return;
    this.setLinkUp(false, nowMs);
    this.setLinkUp(true, nowMs);
  }

  /** @param mtu MTU of the TUN, 0 to 65,535. Caps the padding. */
  setMtu(mtu: number): void {
    this.#link.mtu = Math.min(mtu, MAX_MTU);
  }

  /** Sets the port that outer datagrams leave from, by which looping datagrams are recognised. */
  setListenPort(port: number): void {
    this.#link.listenPort = port;
  }

  /**
   * Sends to `endpoint` from now on. Path managers call this, independently of the configuration.
   *
   * @param endpoint Copied.
   * @param roaming `pinned`: the endpoint stays until it is set again, even if messages come from elsewhere.
   */
  setEndpoint({ publicKey }: PeerView, endpoint: Endpoint, roaming: Roaming = 'follow'): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    peer.roaming = roaming;
    peer.setEndpoint(endpoint);
    if (peer.staged.count > 0) this.#parts.outbox.requestFlush(peer);
  }

  /**
   * Lets packets of a peer come from the allowed IPs of another one as well. Both are one host, whose key changes: its first packet
   * with the next key would be lost otherwise.
   */
  letStandFor({ publicKey }: PeerView, other: PeerView): void {
    const peer = this.#peers.get(publicKey);
    if (peer !== undefined) peer.standsFor = this.#peers.get(other.publicKey);
  }

  /** Begins a handshake as soon as §6.2 lets it, whether or not there is a session. Nothing happens without an endpoint. */
  requestHandshake(publicKey: Uint8Array, nowMs: number): void {
    const peer = this.#peers.get(publicKey);
    if (this.#link.isUp && peer?.endpoint !== undefined) peer.timers.handshakeWanted(nowMs);
  }

  /** Tests whether a session or handshake of this device has a local index. */
  hasIndex(localIndex: number): boolean {
    return this.#parts.sessions.keypairAt(localIndex) !== undefined;
  }

  /** Copies the preshared key of a peer, 32 zero bytes if it has none. The caller clears `out`. */
  readPresharedKey({ publicKey }: PeerView, out: Uint8Array): void {
    out.set(this.#peers.get(publicKey)?.presharedKey ?? new Uint8Array(out.length));
  }

  /** Lets the system choose the source again for the endpoints that the host finds stale. */
  forgetSources(shouldForget: (endpoint: Endpoint) => boolean): void {
    for (const peer of this.#peers.values())
      if (peer.endpoint?.hasSource && shouldForget(peer.endpoint)) peer.forgetSource();
  }

  /** Lets the system choose the source of datagrams to a peer again. */
  forgetSource({ publicKey }: PeerView): void {
    this.#peers.get(publicKey)?.forgetSource();
  }

  /** Returns the reason why there is no session with `peer`, or the code for a session. */
  explain({ publicKey }: PeerView, nowMs: number): SessionReason {
    const peer = this.#peers.get(publicKey);
    return peer === undefined ? { code: 'removed', seconds: 0 } : explain(this.#link, this.#exchange, peer, nowMs);
  }

  /** Wipes every secret. The device must not be used afterwards. */
  close(): void {
    this.#configuration.clear(0);
    this.#parts.events.drain(); // the end of the device is no event
    this.#exchange.queue.clear();
  }

  #expireTimers(nowMs: number): void {
    for (let i = 0; i < PEERS_PER_TURN && this.#parts.outbox.hasRoom(); i++) {
      const timers = this.#deadlines.first();
      if (timers === undefined || timers.queuedAt > nowMs) return;
      timers.expire(nowMs);
    }
  }

  #peerSurroundings(): PeerSurroundings {
    const { crypto, environment, link, allowedIps, sessions } = this.#parts;
    return {
      crypto,
      link,
      allowedIps,
      deadlines: this.#deadlines,
      stagedBudget: new ByteBudget(STAGED_BUDGET_BYTES),
      timerActions: this.#transmitter,
      random: new RandomFractions(environment).next,
      discard: sessions.discard,
    };
  }
}
