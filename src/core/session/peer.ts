import { copyEndpoint, Endpoint, endpointEquals, isReachable, remoteEquals } from '../../wire/endpoint.js';
import { TAI64N_BYTES } from '../../wire/tai64n.js';
import type { IpPrefix } from '../configuration.js';
import { KEY_BYTES } from '../constants.js';
import { CookieJar } from '../handshake/cookie.js';
import type { InitiatorState, LocalIdentity, RemoteIdentity } from '../handshake/handshake.js';
import type { HandshakeRejection } from '../handshake/handshake-rejection.js';
import { Counters } from '../packets/counters.js';
import type { Crypto } from '../ports.js';
import type { AllowedIps } from '../routing/allowed-ips.js';
import { secretBytes } from '../secret-bytes.js';
import type { ByteBudget } from './byte-budget.js';
import type { DeadlineQueue } from './deadline-queue.js';
import type { Keypair } from './keypair.js';
import { KeypairSlots } from './keypair-slots.js';
import { PeerTimers, type TimerActions } from './peer-timers.js';
import type { ConfiguredPeer, Roaming } from './peer-view.js';
import { StagedPackets } from './staged-packets.js';

const NO_PRESHARED_KEY = new Uint8Array(KEY_BYTES);
/** Less than every stamp. */
const NO_TIMESTAMP = new Uint8Array(TAI64N_BYTES);

/** An initiation of ours that waits for its response. */
export interface PendingHandshake {
  readonly state: InitiatorState;
  readonly localIndex: number;
  readonly sentMs: number;
}

/** The last trouble with a peer, for `explain`. */
export interface PeerTrouble {
  readonly rejection: HandshakeRejection;
  readonly atMs: number;
}

/** The parts of its device that a peer uses. */
export interface PeerSurroundings {
  readonly crypto: Crypto;
  readonly link: { readonly identity: LocalIdentity | undefined };
  readonly allowedIps: AllowedIps<Peer>;
  readonly deadlines: DeadlineQueue<PeerTimers<Peer>>;
  readonly stagedBudget: ByteBudget;
  readonly timerActions: TimerActions<Peer>;
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number;
  /** Wipes the keys of a keypair and forgets its index. */
  readonly discard: (keypair: Keypair<Peer>) => void;
}

/**
 * One peer: its identity, its endpoint, and the state of its sessions.
 *
 * A peer holds state and sends nothing: `Transmitter` and `HandshakeExchange` do.
 * Its secrets (preshared key, static-static) are cleared by `wipeSecrets`.
 *
 * Parts that idle peers do not need are allocated lazily: ten thousand peers are configured in a moment, and most are idle.
 */
export class Peer implements RemoteIdentity, ConfiguredPeer {
  readonly staticPublic: Uint8Array;

  /** Whether the endpoint follows the peer as it roams (§2.1), or stays where it was set. */
  roaming: Roaming = 'follow';
  /** The peer whose allowed IPs it may use as well: the next key of one host, before the addresses move to it. */
  standsFor: Peer | undefined;
  persistentKeepaliveSeconds = 0;

  readonly keypairs: KeypairSlots<Peer>;
  readonly staged: StagedPackets;
  pendingHandshake: PendingHandshake | undefined;

  /** The greatest timestamp that the peer ever sent: an initiation has to exceed it (§5.1). */
  greatestTimestamp: Uint8Array = NO_TIMESTAMP;
  initiationConsumedMs = -Infinity;
  /** The step of the last initiation to the peer, see `TimestampSource`. */
  timestampStep = -1;
  /** Whether a rekey was requested at the end of the current session, which is done once (§6.2). */
  hasAskedForLastRekey = false;
  /** Whether a keepalive is owed, which confirms a session or keeps a mapping open. */
  isKeepaliveOwed = false;
  isRemoved = false;
  isInFlushQueue = false;

  /** Peer whose tunnel last carried our own messages to this one, and when: see `RoutingLoops`. */
  carrier: Peer | undefined;
  carriedMs = 0;

  rxBytes = 0;
  txBytes = 0;
  /** Wall clock of the last completed handshake; 0: never. */
  lastHandshakeUnixMs = 0;
  lastTrouble: PeerTrouble | undefined;

  readonly #surroundings: PeerSurroundings;
  #endpoint: Endpoint | undefined;
  #heardFrom: Endpoint | undefined;
  /** Whether `#endpoint` is a copy of `#heardFrom`: then the next message from there changes nothing. */
  #isFollowing = false;
  #timers: PeerTimers<Peer> | undefined;
  #cookieJar: CookieJar | undefined;
  #presharedKey: Uint8Array | undefined;
  #staticStatic: Uint8Array | undefined;
  #counters: Counters | undefined;

  constructor(publicKey: Uint8Array, surroundings: PeerSurroundings) {
    this.staticPublic = publicKey.slice();
    this.keypairs = new KeypairSlots(surroundings.discard);
    this.staged = new StagedPackets(surroundings.stagedBudget);
    this.#surroundings = surroundings;
  }

  get publicKey(): Uint8Array {
    return this.staticPublic;
  }

  /** The prefixes in the order in which they were given; host bits are zero. */
  get allowedIps(): IpPrefix[] {
    return this.#surroundings.allowedIps.list(this);
  }

  /** The destination of messages to the peer. The record changes as the peer roams. */
  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** The endpoint, unless its port is 0, which removes the endpoint. */
  get destination(): Endpoint | undefined {
    const endpoint = this.#endpoint;
    return endpoint !== undefined && isReachable(endpoint.words, 0) ? endpoint : undefined;
  }

  /** The source of the last authentic message; `undefined`: there was none. */
  get heardFrom(): Endpoint | undefined {
    return this.#heardFrom;
  }

  /** @param endpoint Copied. */
  setEndpoint(endpoint: Endpoint | undefined): void {
    this.#endpoint = endpoint?.clone();
    this.#isFollowing = false;
  }

  /** Lets the system choose the source address again. */
  forgetSource(): void {
    this.#endpoint?.clearSource();
    this.#isFollowing = false;
  }

  /**
   * §2.1: records an authentic message from the endpoint record at `at` (in words).
   *
   * @returns Whether the peer has moved: messages to it go to another address or port than before.
   */
  authenticFrom(words: Int32Array, at: number): boolean {
    this.#heardFrom ??= new Endpoint();
    const isSameAsBefore = endpointEquals(this.#heardFrom.words, 0, words, at);
    if (isSameAsBefore && this.#isFollowing) return false;
    if (!isSameAsBefore) copyEndpoint(words, at, this.#heardFrom.words, 0);
    return this.#follow();
  }

  /** Updates the endpoint. A pinned endpoint adopts only the source address, and only from messages of that endpoint. */
  #follow(): boolean {
    const heardFrom = this.#heardFrom!;
    const before = this.#endpoint;
    const isThere = before !== undefined && remoteEquals(before.words, 0, heardFrom.words, 0);
    this.#isFollowing = this.roaming === 'follow' || isThere;
    if (!this.#isFollowing) return false;
    if (before === undefined) this.#endpoint = heardFrom.clone();
    else copyEndpoint(heardFrom.words, 0, before.words, 0);
    return before !== undefined && !isThere;
  }

  get timers(): PeerTimers<Peer> {
    this.#timers ??= this.#makeTimers();
    return this.#timers;
  }

  #makeTimers(): PeerTimers<Peer> {
    const { timerActions, random, deadlines } = this.#surroundings;
    return new PeerTimers(this, timerActions, random, deadlines);
  }

  /** Whether anything was ever due for this peer. Without timers there is no session and no handshake either. */
  get hasTimers(): boolean {
    return this.#timers !== undefined;
  }

  get cookieJar(): CookieJar {
    this.#cookieJar ??= new CookieJar(this.#surroundings.crypto, this.staticPublic);
    return this.#cookieJar;
  }

  /** 32 zero bytes: none. The peer's own bytes must not be written. */
  get presharedKey(): Uint8Array {
    return this.#presharedKey ?? NO_PRESHARED_KEY;
  }

  /** @param presharedKey Copied. It applies from the next handshake on. */
  setPresharedKey(presharedKey: Uint8Array): void {
    this.#presharedKey ??= secretBytes(KEY_BYTES);
    this.#presharedKey.set(presharedKey);
  }

  /** X25519 of both static keys; all zero when there is no private key, or the peer's key is a low-order point. */
  get staticStatic(): Uint8Array {
    this.#staticStatic ??= this.#agree();
    return this.#staticStatic;
  }

  get counters(): Counters {
    this.#counters ??= new Counters();
    return this.#counters;
  }

  /** Returns the keypair that may seal now. */
  sealingKeypair(nowMs: number): Keypair<Peer> | undefined {
    const { current } = this.keypairs;
    return current?.canSeal(nowMs) ? current : undefined;
  }

  /** §6.2: requests a new handshake when the keypair of the last sealed message is old or much used. */
  keepSessionFresh(keypair: Keypair, nowMs: number): void {
    if (keypair.wantsRekeyOnSend(nowMs)) this.timers.handshakeWanted(nowMs);
  }

  note(rejection: HandshakeRejection, nowMs: number): void {
    this.lastTrouble = { rejection, atMs: nowMs };
    this.counters.countRejection(rejection);
  }

  /** Takes over the timestamps of a removed peer with the same key: its old initiations stay refused (§5.1). */
  continueTimestamps(earlier: Peer): void {
    this.greatestTimestamp = earlier.greatestTimestamp;
  }

  dropPendingHandshake(releaseIndex: (index: number) => void): void {
    if (this.pendingHandshake === undefined) return;
    releaseIndex(this.pendingHandshake.localIndex);
    this.pendingHandshake.state.wipe();
    this.pendingHandshake = undefined;
  }

  wipeSecrets(): void {
    this.#presharedKey?.fill(0);
    this.forgetStaticStatic();
  }

  /** Clears the shared secret when the own key changes, or when the peer is removed. */
  forgetStaticStatic(): void {
    this.#staticStatic?.fill(0);
    this.#staticStatic = undefined;
  }

  #agree(): Uint8Array {
    const { crypto, link } = this.#surroundings;
    const { identity } = link;
    const shared = secretBytes(KEY_BYTES);
    if (identity !== undefined && !crypto.x25519(shared, identity.staticPrivate, this.staticPublic)) shared.fill(0);
    return shared;
  }
}
