import { copyEndpoint, Endpoint, endpointEquals, isReachable, remoteEquals } from '../../wire/endpoint.js';
import { TAI64N_BYTES } from '../../wire/tai64n.js';
import type { IpPrefix } from '../configuration.js';
import type { DeviceContext } from '../device-context.js';
import { CookieJar } from '../handshake/cookie.js';
import type { HandshakeRejection, InitiatorState, RemoteIdentity } from '../handshake/handshake.js';
import { Counters } from '../packets/counters.js';
import { secretBytes } from '../secret-bytes.js';
import type { Keypair } from './keypair.js';
import { KeypairSlots } from './keypair-slots.js';
import { PeerTimers, type TimerActions } from './peer-timers.js';
import type { ConfiguredPeer, Roaming } from './peer-view.js';
import { StagedPackets } from './staged-packets.js';

const KEY_BYTES = 32;
const NO_PRESHARED_KEY = new Uint8Array(KEY_BYTES);
/** Less than every stamp. */
const NO_TIMESTAMP = new Uint8Array(TAI64N_BYTES);

/** An initiation of ours that waits for its response. */
export interface PendingHandshake {
  readonly state: InitiatorState;
  readonly localIndex: number;
  readonly sentMs: number;
}

/** The last thing that went wrong with a peer, for `explain`. */
export interface PeerTrouble {
  readonly rejection: HandshakeRejection;
  readonly atMs: number;
}

/**
 * One peer: who it is, where it is, and how far a session with it has come.
 *
 * A peer holds state and sends nothing: `Transmitter` and `HandshakeExchange` do.
 * Its secrets (preshared key, static-static) are cleared by `wipeSecrets`.
 *
 * What not every peer needs is made when it is first needed: ten thousand are configured in a moment, and most are idle.
 */
export class Peer implements RemoteIdentity, ConfiguredPeer {
  readonly staticPublic: Uint8Array;

  /** Whether the endpoint follows the peer as it roams (§2.1), or stays where it was set. */
  roaming: Roaming = 'follow';
  persistentKeepaliveSeconds = 0;

  readonly keypairs: KeypairSlots;
  readonly staged: StagedPackets;
  pendingHandshake: PendingHandshake | undefined;

  /** The greatest timestamp that the peer ever sent: an initiation has to exceed it (§5.1). */
  greatestTimestamp: Uint8Array = NO_TIMESTAMP;
  initiationConsumedMs = -Infinity;
  /** Of the last initiation that we sent to it: see `TimestampSource`. */
  timestampStep = -1;
  /** A rekey was asked for at the end of the current session: once is enough (§6.2). */
  hasAskedForLastRekey = false;
  /** A keepalive is owed although nothing else waits: it confirms a session or keeps a mapping open. */
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

  readonly #context: DeviceContext;
  readonly #timerActions: TimerActions<Peer>;
  #endpoint: Endpoint | undefined;
  #heardFrom: Endpoint | undefined;
  /** Whether `#endpoint` is a copy of `#heardFrom`: then the next message from there changes nothing. */
  #isFollowing = false;
  #timers: PeerTimers<Peer> | undefined;
  #cookieJar: CookieJar | undefined;
  #presharedKey: Uint8Array | undefined;
  #staticStatic: Uint8Array | undefined;
  #counters: Counters | undefined;

  constructor(publicKey: Uint8Array, context: DeviceContext, timerActions: TimerActions<Peer>) {
    this.staticPublic = publicKey.slice();
    this.keypairs = new KeypairSlots(context.discard);
    this.staged = new StagedPackets(context.stagedBudget);
    this.#context = context;
    this.#timerActions = timerActions;
  }

  get publicKey(): Uint8Array {
    return this.staticPublic;
  }

  /** In the order in which they were given; host bits are zero. */
  get allowedIps(): IpPrefix[] {
    return this.#context.allowedIps.list(this);
  }

  /** Where messages to the peer are sent. The record changes as the peer roams. */
  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** The endpoint, unless nothing can be sent there: whoever configures port 0 takes the endpoint away. */
  get destination(): Endpoint | undefined {
    const endpoint = this.#endpoint;
    return endpoint !== undefined && isReachable(endpoint.words, 0) ? endpoint : undefined;
  }

  /** Where the last authentic message came from; `undefined`: nothing was heard yet. */
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
   * §2.1: an authentic message came from the endpoint record at `at` (in words).
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

  /** A pinned endpoint takes over nothing but the source address, and only from messages that came from there. */
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
    this.#timers ??= new PeerTimers(this, this.#timerActions, this.#context.random, this.#context.deadlines);
    return this.#timers;
  }

  /** Whether anything was ever due for this peer. Without timers there is no session and no handshake either. */
  get hasTimers(): boolean {
    return this.#timers !== undefined;
  }

  get cookieJar(): CookieJar {
    this.#cookieJar ??= new CookieJar(this.#context.crypto, this.staticPublic);
    return this.#cookieJar;
  }

  /** 32 zero bytes: none. The peer's own bytes: to be read, not written. */
  get presharedKey(): Uint8Array {
    return this.#presharedKey ?? NO_PRESHARED_KEY;
  }

  /** @param presharedKey Copied. It counts from the next handshake on. */
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

  /** The keypair that seals now, if any may. */
  sealingKeypair(nowMs: number): Keypair | undefined {
    const { current } = this.keypairs;
    return current?.canSeal(nowMs) ? current : undefined;
  }

  note(rejection: HandshakeRejection, nowMs: number): void {
    this.lastTrouble = { rejection, atMs: nowMs };
    this.counters.countRejection(rejection);
  }

  /** Takes the place of a removed peer with the same key: its old initiations stay refused (§5.1). */
  continueTimestamps(earlier: Peer): void {
    this.greatestTimestamp = earlier.greatestTimestamp;
  }

  /** Forgets sessions and half handshakes, and what waits for them. */
  wipeSessions(releaseIndex: (index: number) => void): void {
    this.keypairs.wipe();
    this.dropPendingHandshake(releaseIndex);
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

  /** The own key is another one, or the peer is removed. */
  forgetStaticStatic(): void {
    this.#staticStatic?.fill(0);
    this.#staticStatic = undefined;
  }

  #agree(): Uint8Array {
    const { crypto, identity } = this.#context;
    const shared = secretBytes(KEY_BYTES);
    if (identity !== undefined && !crypto.x25519(shared, identity.staticPrivate, this.staticPublic)) shared.fill(0);
    return shared;
  }
}
