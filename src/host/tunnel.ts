import type { DeviceChange } from '../core/configuration.js';
import { Device } from '../core/device.js';
import type { DeviceEvent } from '../core/device-events.js';
import { WireGuardError } from '../core/errors.js';
import type { AeadStage, Crypto, Environment } from '../core/ports.js';
import type { ConfiguredPeer, PeerView, Roaming } from '../core/session/peer-view.js';
import type { SessionReason } from '../core/session-reason.js';
import type { Endpoint } from '../wire/endpoint.js';
import type { Clock } from './clock.js';
import type { DatagramSocket } from './datagram-socket.js';
import { Driver } from './driver.js';
import { EventFeed } from './event-feed.js';
import { nodeEnvironment } from './node-environment.js';
import { SerialQueue } from './serial-queue.js';
import { SourceWatch } from './source-watch.js';
import { SystemClock } from './system-clock.js';
import type { Tun } from './tun.js';

/**
 * Opens a UDP socket.
 *
 * @param port 0: any free port.
 * @param mark Firewall mark from the first datagram on; 0: none.
 */
export type OpenSocket = (port: number, mark: number) => DatagramSocket | Promise<DatagramSocket>;

export interface TunnelOptions {
  readonly crypto: Crypto;
  readonly aead: AeadStage;
  /** The TUN, which belongs to the tunnel from here on. */
  readonly tun: Tun;
  readonly openSocket: OpenSocket;
  /** Default: the clock of this machine. */
  readonly clock?: Clock;
  /** Default: randomness and wall clock of this process. */
  readonly environment?: Environment;
}

/** A tunnel's configuration and state. Keys are the tunnel's own bytes: they must be read at once and not kept. */
export interface TunnelState {
  readonly privateKey: Uint8Array | undefined;
  readonly publicKey: Uint8Array | undefined;
  readonly listenPort: number;
  /** 0: none. */
  readonly fwmark: number;
  /** The peers, in the order in which they were added. */
  readonly peers: Iterable<ConfiguredPeer>;
}

/** Why a peer has no session, or that it has one. */
export interface PeerExplanation {
  readonly publicKey: Uint8Array;
  readonly reason: SessionReason;
  /** Packets of this peer, by number of `Verdict`. */
  readonly verdicts: ArrayLike<number>;
}

export interface TunnelExplanation {
  /** Packets of the whole tunnel, by number of `Verdict`. */
  readonly verdicts: ArrayLike<number>;
  readonly peers: Iterable<PeerExplanation>;
}

/**
 * A running WireGuard tunnel: a device with its TUN, its UDP socket and its loop, configured as a whole.
 *
 * ```text
 * apply   check the change → open the new socket beside the old one, or set the mark
 *         → apply it to the device → swap the sockets → settle
 * ```
 *
 * Every step that can fail comes before the device changes, and is undone on failure. All changes and long readings form
 * one queue.
 */
export class Tunnel {
  /** Called after the link of the TUN went up or down, or the MTU changed. */
  onLinkChange: () => void = () => {};
  /** Tests whether datagrams to an endpoint no longer leave from its source address. Called after `routesChanged`. */
  isSourceStale: (endpoint: Endpoint, fwmark: number) => boolean = () => false;

  readonly #device: Device;
  readonly #driver: Driver;
  readonly #sources: SourceWatch;
  readonly #tun: Tun;
  readonly #clock: Clock;
  readonly #openSocket: OpenSocket;
  readonly #queue = new SerialQueue();
  readonly #feed = new EventFeed<DeviceEvent>();
  #fwmark = 0;
  #isLinkWanted = true;
  #isClosed = false;

  /** Opens a socket on a free port. The tunnel has no keys and no peers yet. @throws {WireGuardError} The TUN is closed then. */
  static async create(options: TunnelOptions): Promise<Tunnel> {
    let socket: DatagramSocket | undefined;
    try {
      socket = await options.openSocket(0, 0);
      return new Tunnel(options, socket);
    } catch (error) {
      socket?.close();
      options.tun.close();
      throw error;
    }
  }

  private constructor(options: TunnelOptions, socket: DatagramSocket) {
    const { crypto, aead, tun, openSocket, clock = SystemClock.create(), environment = nodeEnvironment } = options;
    this.#tun = tun;
    this.#clock = clock;
    this.#openSocket = openSocket;
    this.#device = new Device({ crypto, environment, aead });
    this.#sources = new SourceWatch(this.#device, (endpoint) => this.isSourceStale(endpoint, this.#fwmark));
    this.#device.setListenPort(socket.port);
    this.#driver = new Driver({ device: this.#device, socket, tun, clock });
    this.#driver.onEvents = () => this.#publishEvents();
    this.#followSources(socket);
    tun.onChange = () => {
      this.#followLink();
      this.onLinkChange();
    };
    this.#followLink();
  }

  /** The current state. Callers that read over several turns of the event loop must use `read`. */
  get state(): TunnelState {
    return {
      privateKey: this.#device.privateKey,
      publicKey: this.#device.publicKey,
      listenPort: this.#driver.socket.port,
      fwmark: this.#fwmark,
      peers: this.#device.configuredPeers,
    };
  }

  /** Counters of packets by verdict, and the socket's errors. */
  get counters() {
    return { verdicts: this.#device.counters.verdicts, socket: this.#driver.socket.stats };
  }

  /**
   * The events of the tunnel from the moment at which reading begins, for any number of readers. Reading ends when
   * the tunnel is closed. A reader that falls far behind misses the oldest events.
   */
  get events(): AsyncIterable<DeviceEvent> {
    return {
      [Symbol.asyncIterator]: () => {
        if (!this.#feed.hasReaders) this.#device.events.drain();
        return this.#feed[Symbol.asyncIterator]();
      },
    };
  }

  /** Calls `reader` with the state. No change is made until the reader has finished. */
  read<T>(reader: (state: TunnelState) => T | Promise<T>): Promise<T> {
    return this.#queue.run(() => reader(this.state));
  }

  /**
   * Applies all of the change or none of it, after the changes that were requested earlier.
   *
   * @param change Must not change until the promise has settled; keys are copied.
   * @throws {WireGuardError} ERR_PORT_IN_USE, ERR_SOCKET_MARK, ERR_TOO_MANY_PEERS, ERR_CLOSED. Nothing has changed then.
   */
  apply(change: DeviceChange): Promise<void> {
    return this.#queue.run(() => this.#apply(change));
  }

  explain(): TunnelExplanation {
    return { verdicts: this.#device.counters.verdicts, peers: this.#explainPeers() };
  }

  /** Returns the reason why a peer has no session, or the code for a session. */
  reasonOf(peer: PeerView): SessionReason {
    return this.#device.explain(peer, this.#clock.nowMs());
  }

  /** Sends to `endpoint` from now on, as path managers want it. Nothing happens for a peer that is not there. */
  setEndpoint(publicKey: Uint8Array, endpoint: Endpoint, roaming: Roaming): void {
    const peer = this.#device.peer(publicKey);
    if (peer !== undefined) this.#device.setEndpoint(peer, endpoint, roaming);
    this.#driver.settle();
  }

  /** Begins a handshake with a peer that has an endpoint, whether or not there is a session. */
  requestHandshake(publicKey: Uint8Array): void {
    this.#device.requestHandshake(publicKey, this.#clock.nowMs());
    this.#driver.settle();
  }

  /** Lets a peer use the allowed IPs of another one, as the next key of the same host. */
  letStandFor(nextKey: Uint8Array, presentKey: Uint8Array): void {
    const [next, present] = [this.#device.peer(nextKey), this.#device.peer(presentKey)];
    if (next !== undefined && present !== undefined) this.#device.letStandFor(next, present);
  }

  /** Tests whether a session of this tunnel has a local index. */
  hasIndex(localIndex: number): boolean {
    return this.#device.hasIndex(localIndex);
  }

  /** The peer with a key. */
  peer(publicKey: Uint8Array): PeerView | undefined {
    return this.#device.peer(publicKey);
  }

  /** Stops all traffic with `false`, and lets it go on with `true`. The link of the TUN must be up as well. */
  setLinkUp(isUp: boolean): void {
    this.#isLinkWanted = isUp;
    this.#followLink();
  }

  /** Must be called after addresses or routes changed: clears source addresses that are stale by `isSourceStale`. */
  routesChanged(): void {
    this.#sources.routesChanged();
  }

  /** Ends the tunnel: socket and TUN are closed, all secrets wiped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sources.close();
    this.#driver.close();
    this.#driver.socket.close();
    this.#device.close();
    this.#publishEvents();
    this.#feed.close();
    this.#tun.close();
  }

  async #apply(change: DeviceChange): Promise<void> {
    this.#refuseWhenClosed();
    this.#device.checkChange(change);
    const mark = change.fwmark ?? this.#fwmark;
    const socket = this.#isPortNew(change.listenPort) ? await this.#openSocket(change.listenPort, mark) : undefined;
    try {
      this.#refuseWhenClosed();
      if (socket === undefined) this.#setMark(mark);
      this.#device.applyChange(change, this.#clock.nowMs());
    } catch (error) {
      socket?.close();
      if (socket === undefined) this.#restoreMark();
      throw error;
    }
    if (socket !== undefined) this.#useSocket(socket);
    // Routes may differ by mark, so the system chooses the source addresses again.
    if (socket !== undefined || mark !== this.#fwmark) this.#device.forgetSources(() => true);
    this.#fwmark = mark;
    this.#driver.settle();
  }

  #publishEvents(): void {
    if (this.#feed.hasReaders) this.#feed.publish(this.#device.events.drain());
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new WireGuardError('ERR_CLOSED', 'the tunnel is closed');
  }

  /** Tests whether a port needs a new socket. Port 0 requests another random port each time. */
  #isPortNew(port: number | undefined): port is number {
    return port !== undefined && port !== this.#driver.socket.port;
  }

  #setMark(mark: number): void {
    if (mark !== this.#fwmark) this.#driver.socket.setMark(mark);
  }

  /** Restores the old mark, since one socket may have accepted a mark that the other refused. */
  #restoreMark(): void {
    if (this.#isClosed) return;
    try {
      this.#driver.socket.setMark(this.#fwmark);
    } catch (error) {
      if (!(error instanceof WireGuardError)) throw error; // the original error is reported
    }
  }

  #useSocket(socket: DatagramSocket): void {
    this.#followSources(socket);
    this.#driver.replaceSocket(socket);
    this.#device.setListenPort(socket.port);
  }

  #followSources(socket: DatagramSocket): void {
    socket.onSourceRefused = (refused) => this.#sources.sourceRefused(refused);
  }

  #followLink(): void {
    if (this.#isClosed) return;
    this.#device.setMtu(this.#tun.mtu);
    this.#device.setLinkUp(this.#tun.isUp && this.#isLinkWanted, this.#clock.nowMs());
    this.#driver.settle();
  }

  *#explainPeers(): Iterable<PeerExplanation> {
    const nowMs = this.#clock.nowMs();
    for (const peer of this.#device.peers)
      yield { publicKey: peer.publicKey, reason: this.#device.explain(peer, nowMs), verdicts: peer.counters.verdicts };
  }
}
