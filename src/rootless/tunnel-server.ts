import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { AddressInfo, DropArgument, ListenOptions } from 'node:net';

import { formatIpAddress } from '../control/ip-text.js';
import { WireGuardError } from '../core/errors.js';
import { addressBytes } from '../netstack/address.js';
import type { TcpListener } from '../netstack/tcp/listener.js';
import type { TcpFlow } from '../netstack/tcp/tcp-flow.js';
import { checkPort } from './connect-options.js';
import { ownAddress } from './own-address.js';
import { ProcessReference } from './process-reference.js';
import { socketError } from './socket-error.js';
import type { SocketHost } from './socket-host.js';
import { TunnelSocket } from './tunnel-socket.js';

const FIRST_FREE_PORT = 49_152;
const MAX_PORT_TRIES = 1_000;

export interface TunnelServerOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly pauseOnConnect?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
}

/**
 * A TCP port inside of the tunnel that takes connections of peers, with the interface of `net.Server`.
 *
 * An HTTP server takes its connections by `server.on('connection', (socket) => http.emit('connection', socket))`.
 */
export class TunnelServer extends EventEmitter {
  maxConnections = Number.POSITIVE_INFINITY;
  readonly #host: SocketHost;
  readonly #options: TunnelServerOptions;
  readonly #sockets = new Set<TunnelSocket>();
  /** Shared by all sockets, of which there may be ten thousands. */
  readonly #socketClosed: (this: TunnelSocket) => void;
  #listener: TcpListener | undefined;
  #isClosing = false;
  readonly #reference: ProcessReference;

  constructor(host: SocketHost, options: TunnelServerOptions, onConnection?: (socket: TunnelSocket) => void) {
    super();
    this.#host = host;
    this.#reference = new ProcessReference(host);
    this.#socketClosed = callWithThis((socket: TunnelSocket) => {
      this.#sockets.delete(socket);
      this.#endIfIdle();
    });
    this.#options = options;
    if (onConnection !== undefined) this.on('connection', onConnection);
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** Takes (port?, host?, backlog?, callback?) or ({ port, host, backlog, signal }, callback?), as `net.Server` does. */
  listen(...args: readonly unknown[]): this {
    const { port, host, backlog, signal, callback } = readListenArgs(args);
    if (callback !== undefined) this.once('listening', callback);
    if (this.#listener !== undefined)
      throw Object.assign(new Error('the server listens already'), { code: 'ERR_SERVER_ALREADY_LISTEN' });
    const problem = this.#open(port, host, backlog);
    queueMicrotask(() => {
      if (problem === undefined) this.emit('listening');
      else this.emit('error', problem);
    });
    if (signal?.aborted === true) process.nextTick(() => this.close());
    else signal?.addEventListener('abort', () => this.close(), { once: true });
    return this;
  }

  address(): AddressInfo | null {
    const listener = this.#listener;
    if (listener === undefined) return null;
    const address = listener.address ?? this.#host.loop.stack.addresses[0]!;
    const bytes = addressBytes(address);
    return { address: formatIpAddress(bytes), port: listener.port, family: bytes.length === 4 ? 'IPv4' : 'IPv6' };
  }

  /** Takes no more connections. The callback runs when the last one has ended, with an error if the server did not listen. */
  close(callback?: (error?: Error) => void): this {
    const listener = this.#listener;
    const error = listener === undefined ? notRunning() : undefined;
    if (callback !== undefined) this.once('close', () => callback(error));
    this.#isClosing = true;
    if (listener !== undefined) this.#stop(listener);
    this.#endIfIdle();
    return this;
  }

  #stop(listener: TcpListener): void {
    this.#listener = undefined;
    const { loop } = this.#host;
    loop.forget(listener);
    loop.stack.tcp.closeListener(listener);
    loop.wake();
    this.#reference.isOpen = false;
  }

  /** Takes no more connections, and ends those that are open with RST, as closing the tunnel does. */
  resetAndClose(): void {
    if (this.listening) this.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    queueMicrotask(() => callback(null, this.#sockets.size));
    return this;
  }

  ref(): this {
    this.#reference.isWanted = true;
    return this;
  }

  unref(): this {
    this.#reference.isWanted = false;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#listener === undefined) return;
    await new Promise((resolve) => this.close(resolve));
  }

  #open(port: number, host: string | undefined, backlog: number | undefined): Error | undefined {
    const { loop } = this.#host;
    const address = ownAddress(this.#host, host);
    if (address === null) return socketError('EADDRNOTAVAIL', 'listen', host, port);
    const listener = loop.stack.tcp.listen(address, port === 0 ? freePort(this.#host) : port, backlog);
    if (listener === undefined) return socketError('EADDRINUSE', 'listen', host ?? '::', port);
    this.#listener = listener;
    loop.listen(listener, () => this.#accept(listener));
    this.#reference.isOpen = true;
    return undefined;
  }

  #accept(listener: TcpListener): void {
    for (let flow = listener.accept(); flow !== undefined; flow = listener.accept()) {
      if (this.#sockets.size >= this.maxConnections) {
        this.emit('drop', describeEnds(flow));
        this.#host.loop.stack.tcp.abort(flow);
        continue;
      }
      const socket = new TunnelSocket(this.#host, this.#options, flow);
      socket.server = this;
      if (this.#options.pauseOnConnect === true) socket.pause();
      this.#sockets.add(socket);
      socket.on('close', this.#socketClosed);
      this.emit('connection', socket);
    }
  }

  #endIfIdle(): void {
    if (!this.#isClosing || this.#sockets.size > 0) return;
    this.#isClosing = false;
    queueMicrotask(() => this.emit('close'));
  }
}

/** Returns a listener that calls `take` with whoever emits its event. */
function callWithThis<Emitter>(take: (emitter: Emitter) => void): (this: Emitter) => void {
  return function (this: Emitter) {
    take(this);
  };
}

/** Describes a connection for `drop`. */
function describeEnds({ local, localPort, remote, remotePort }: TcpFlow): DropArgument {
  const [localBytes, remoteBytes] = [addressBytes(local), addressBytes(remote)];
  const family = localBytes.length === 4 ? 'IPv4' : 'IPv6';
  return {
    localAddress: formatIpAddress(localBytes),
    localPort,
    localFamily: family,
    remoteAddress: formatIpAddress(remoteBytes),
    remotePort,
    remoteFamily: family,
  };
}

function notRunning(): Error {
  return Object.assign(new Error('Server is not running.'), { code: 'ERR_SERVER_NOT_RUNNING' });
}

function freePort({ loop }: SocketHost): number {
  for (let tries = 0; tries < MAX_PORT_TRIES; tries++) {
    const port = randomInt(FIRST_FREE_PORT, 65_536);
    if (loop.stack.tcp.listenerOf(loop.stack.addresses[0]!, port) === undefined) return port;
  }
  return 0;
}

interface ListenCall {
  readonly port: number;
  readonly host: string | undefined;
  readonly backlog: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly callback: (() => void) | undefined;
}

function readListenArgs(args: readonly unknown[]): ListenCall {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const words = callback === undefined ? args : args.slice(0, -1);
  const [first, second, third] = words;
  if (typeof first === 'object' && first !== null) {
    const options = first as ListenOptions;
    if (options.path !== undefined)
      throw new WireGuardError('ERR_SOCKET_ARGUMENT', 'a server in the tunnel has no path: listen on a port');
    const { host, backlog, signal } = options;
    return { port: checkPort(options.port ?? 0, 0), host, backlog, signal, callback };
  }
  const host = typeof second === 'string' ? second : undefined;
  const backlog = [second, third].find((word) => typeof word === 'number') as number | undefined;
  return { port: checkPort(first ?? 0, 0), host, backlog, signal: undefined, callback };
}
