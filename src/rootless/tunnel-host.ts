import type { RemoteInfo } from 'node:dgram';
import type { LookupAddress } from 'node:dns';
import type { AgentOptions } from 'node:http';

import { explainText } from '../control/explain-text.js';
import { formatIpPrefix } from '../control/ip-text.js';
import { formatKey, parseKey } from '../control/key-text.js';
import type { DeviceChange } from '../core/configuration.js';
import type { DeviceEvent } from '../core/device-events.js';
import type { ReasonCode, SessionReason } from '../core/session-reason.js';
import type { Tunnel } from '../host/tunnel.js';
import type { Endpoint } from '../wire/endpoint.js';
import { createDispatcher } from './dispatcher.js';
import { keepSessions } from './keep-sessions.js';
import { type PingOptions, type PingReply, ping } from './ping.js';
import { forwardPort, type PortForward } from './port-forward.js';
import type { SocketHost } from './socket-host.js';
import type { TunnelSocketOptions } from './socket-options.js';
import type { StackLoop } from './stack-loop.js';
import { TunnelAgent, TunnelHttpsAgent } from './tunnel-agent.js';
import { TunnelResolver } from './tunnel-resolver.js';
import { TunnelServer, type TunnelServerOptions } from './tunnel-server.js';
import { TunnelSocket } from './tunnel-socket.js';
import { TunnelUdpSocket } from './tunnel-udp-socket.js';

/** A peer, for people and programs. */
export interface PeerStatus {
  /** Base64. */
  readonly publicKey: string;
  /** Why there is no session, or that there is one: stable, for programs. */
  readonly reasonCode: ReasonCode;
  /** The same as a sentence. */
  readonly reason: string;
  /** `undefined`: never. */
  readonly lastHandshake: Date | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly allowedIps: readonly string[];
}

export interface TunnelStatus {
  /** Base64. */
  readonly publicKey: string;
  readonly listenPort: number;
  readonly addresses: readonly string[];
  readonly peers: readonly PeerStatus[];
  /** TCP connections of every kind, those included that are closing. */
  readonly connections: number;
}

/** Where to connect to, and the options of the socket. */
export interface TunnelConnectOptions extends TunnelSocketOptions {
  readonly host: string;
  readonly port: number;
  /** The milliseconds of `socket.setTimeout`. */
  readonly timeout?: number | undefined;
}

export interface TunnelHostParts {
  readonly tunnel: Tunnel;
  readonly loop: StackLoop;
  readonly addresses: readonly string[];
  readonly dnsServers: readonly string[];
  readonly searchDomains: readonly string[];
}

/**
 * A host of its own inside a WireGuard network, within this process: addresses, ports, sockets and servers, without root and
 * without an interface of the system.
 *
 * `Tunnel` moves packets; a `TunnelHost` is what programs use on top of one. Open sockets and servers keep the process alive,
 * an idle tunnel does not.
 */
export class TunnelHost implements AsyncDisposable {
  readonly addresses: readonly string[];
  readonly resolver: TunnelResolver;
  readonly #tunnel: Tunnel;
  readonly #host: SocketHost;
  readonly #closers = new Set<() => void>();
  readonly #sockets = new Set<TunnelSocket>();
  /** Shared by all sockets, of which there may be ten thousands. */
  readonly #socketClosed = removerFrom(this.#sockets);
  #references = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #agents: { http: TunnelAgent; https: TunnelHttpsAgent } | undefined;
  #dispatcher: object | undefined;
  #isClosed = false;

  constructor({ tunnel, loop, addresses, dnsServers, searchDomains }: TunnelHostParts) {
    this.#tunnel = tunnel;
    this.addresses = addresses;
    this.#host = {
      loop,
      lookup: (host) => this.lookup(host),
      ref: () => this.#reference(1),
      unref: () => this.#reference(-1),
    };
    this.resolver = new TunnelResolver(dnsServers, searchDomains, {
      createUdpSocket: (type) => this.createUdpSocket(type),
      connect: (options) => this.connect(options),
    });
  }

  /** Connects to a TCP port. Takes what `net.connect` takes, and the options of `net.Socket`. */
  connect(options: TunnelConnectOptions, callback?: () => void): TunnelSocket;
  connect(port: number, host: string, callback?: () => void): TunnelSocket;
  connect(...args: readonly unknown[]): TunnelSocket {
    const options = typeof args[0] === 'object' ? (args[0] as TunnelConnectOptions) : undefined;
    const socket = this.createSocket(options).connect(...args);
    return options?.timeout === undefined ? socket : socket.setTimeout(options.timeout);
  }

  /** Makes a socket that is connected later, for libraries that want to connect it themselves. */
  createSocket(options: TunnelSocketOptions = {}): TunnelSocket {
    this.#refuseWhenClosed();
    const socket = new TunnelSocket(this.#host, options);
    this.#sockets.add(socket);
    return socket.on('close', this.#socketClosed);
  }

  /** Takes connections of peers. */
  createServer(onConnection?: (socket: TunnelSocket) => void): TunnelServer;
  createServer(options: TunnelServerOptions, onConnection?: (socket: TunnelSocket) => void): TunnelServer;
  createServer(...args: readonly unknown[]): TunnelServer {
    this.#refuseWhenClosed();
    const options = typeof args[0] === 'object' ? (args[0] as TunnelServerOptions) : {};
    const onConnection = args.find((word) => typeof word === 'function') as
      | ((socket: TunnelSocket) => void)
      | undefined;
    return this.#track(new TunnelServer(this.#host, options, onConnection), (server) => server.resetAndClose());
  }

  createUdpSocket(
    type: 'udp4' | 'udp6' = 'udp4',
    onMessage?: (message: Buffer, from: RemoteInfo) => void,
  ): TunnelUdpSocket {
    this.#refuseWhenClosed();
    // A socket that was closed in this turn is still tracked, and must not be closed again.
    return this.#track(
      new TunnelUdpSocket(this.#host, type, onMessage),
      (socket) => void socket[Symbol.asyncDispose](),
    );
  }

  /** For `http.request`, and for libraries that take an agent. */
  get agent(): TunnelAgent {
    return this.#madeAgents().http;
  }

  get httpsAgent(): TunnelHttpsAgent {
    return this.#madeAgents().https;
  }

  createAgent(options: AgentOptions): TunnelAgent {
    return new TunnelAgent((to) => this.connect(to), options);
  }

  /** For `fetch` and undici. */
  get dispatcher(): object {
    this.#dispatcher ??= createDispatcher((to) => this.connect(to));
    return this.#dispatcher;
  }

  /** Finds all addresses of a name, with the DNS servers of the tunnel and nobody else. */
  async lookup(host: string): Promise<LookupAddress[]> {
    return await this.resolver.lookup(host);
  }

  async ping(host: string, options?: PingOptions): Promise<PingReply> {
    this.#refuseWhenClosed();
    return await ping(this.#host, host, options);
  }

  /** Carries a port of this machine through the tunnel: `forward('127.0.0.1:0', 'db:5432')`. */
  async forward(from: string, to: string): Promise<PortForward> {
    this.#refuseWhenClosed();
    const forward = await forwardPort(from, to, (options) => this.connect(options));
    const close = (): void => void forward.close();
    this.#closers.add(close);
    void forward.closed.then(() => this.#closers.delete(close));
    return forward;
  }

  /**
   * Takes the peers of a change in place of its own. Sessions of peers that stay live on, and with them all connections.
   *
   * @param change The caller wipes it. Its keys and ports of the interface are left aside.
   */
  async replacePeers(change: DeviceChange): Promise<void> {
    this.#refuseWhenClosed();
    await this.#tunnel.apply({ replacePeers: false, peers: keepSessions(change.peers, this.#tunnel.state.peers) });
  }

  /** Sends to a peer at another address from now on. @param publicKey Base64. */
  async setEndpoint(publicKey: string, endpoint: Endpoint): Promise<void> {
    this.#refuseWhenClosed();
    const peer = { isRemoval: false, isUpdateOnly: true, replaceAllowedIps: false, allowedIps: [] };
    const key = parseKey(publicKey, 'public key');
    await this.#tunnel.apply({ replacePeers: false, peers: [{ ...peer, publicKey: key, endpoint }] });
  }

  status(): TunnelStatus {
    const { publicKey, listenPort, peers } = this.#tunnel.state;
    const reasons = new Map([...this.#tunnel.explain().peers].map((peer) => [formatKey(peer.publicKey), peer.reason]));
    return {
      publicKey: publicKey === undefined ? '' : formatKey(publicKey),
      listenPort,
      addresses: this.addresses,
      connections: this.#isClosed ? 0 : this.#host.loop.stack.tcp.flowCount,
      peers: [...peers].map((peer) => ({
        publicKey: formatKey(peer.publicKey),
        ...reasonOf(reasons.get(formatKey(peer.publicKey))),
        lastHandshake: peer.lastHandshakeUnixMs === 0 ? undefined : new Date(peer.lastHandshakeUnixMs),
        receivedBytes: peer.rxBytes,
        sentBytes: peer.txBytes,
        allowedIps: [...peer.allowedIps].map(formatIpPrefix),
      })),
    };
  }

  /** Says for each peer in a sentence why it does not answer, or that it does. */
  explain(): readonly Pick<PeerStatus, 'publicKey' | 'reasonCode' | 'reason'>[] {
    return this.status().peers.map(({ publicKey, reasonCode, reason }) => ({ publicKey, reasonCode, reason }));
  }

  /** Handshakes, roaming, ended sessions: from the moment at which reading begins. */
  get events(): AsyncIterable<DeviceEvent> {
    return this.#tunnel.events;
  }

  /**
   * Ends every socket and server of the tunnel, wipes all keys, and closes the UDP port.
   *
   * Connections that are open are reset: a peer whose FIN stayed without an answer would seek this host for minutes.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#agents?.http.destroy();
    this.#agents?.https.destroy();
    for (const socket of this.#sockets)
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    for (const close of this.#closers) close();
    this.#closers.clear();
    // The last segments of the sockets, such as RST, leave in this turn.
    await new Promise((resolve) => setImmediate(resolve));
    this.#tunnel.close();
    clearInterval(this.#heartbeat);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #track<Item extends { once(event: 'close', listener: () => void): unknown }>(
    item: Item,
    end: (item: Item) => void,
  ): Item {
    const close = (): void => end(item);
    this.#closers.add(close);
    item.once('close', () => this.#closers.delete(close));
    return item;
  }

  #madeAgents(): { http: TunnelAgent; https: TunnelHttpsAgent } {
    const connect = (to: { host: string; port: number }): TunnelSocket => this.connect(to);
    this.#agents ??= {
      http: new TunnelAgent(connect, { keepAlive: true }),
      https: new TunnelHttpsAgent(connect, { keepAlive: true }),
    };
    return this.#agents;
  }

  /** A timer that never matters keeps the process alive while a socket wants it to be. */
  #reference(change: 1 | -1): void {
    this.#references += change;
    if (this.#references > 0 && !this.#isClosed) this.#heartbeat ??= setInterval(() => {}, 2 ** 30);
    else {
      clearInterval(this.#heartbeat);
      this.#heartbeat = undefined;
    }
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw Object.assign(new Error('the tunnel is closed'), { code: 'ERR_CLOSED' });
  }
}

/** Returns a listener that removes whoever emits its event. */
function removerFrom<Item>(set: Set<Item>): (this: Item) => void {
  return function (this: Item) {
    set.delete(this);
  };
}

function reasonOf(reason: SessionReason = { code: 'removed', seconds: 0 }): { reasonCode: ReasonCode; reason: string } {
  return { reasonCode: reason.code, reason: explainText(reason) };
}
