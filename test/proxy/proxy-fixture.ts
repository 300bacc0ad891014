/** A proxy over a pair of hosts: clients on loopback, servers inside of the tunnel, and a resolver that records what it is asked. */

import type { LookupAddress } from 'node:dns';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { decode, encode } from 'dns-packet';

import { DirectExit } from '../../src/proxy/exits/direct-exit.js';
import { TunnelExit } from '../../src/proxy/exits/tunnel-exit.js';
import type { ListenAddress, ProxyListener } from '../../src/proxy/proxy-config.js';
import { parseRule } from '../../src/proxy/rules/parse-rule.js';
import { Router } from '../../src/proxy/rules/router.js';
import { ProxyCounters } from '../../src/proxy/server/proxy-counters.js';
import { ProxyServer, type ProxyServerOptions } from '../../src/proxy/server/proxy-server.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { openPair, type PairOfHosts, RIGHT } from '../rootless/pair-of-hosts.js';

/** The way out past the tunnel, with a resolver of its own. */
export class RecordingExit extends DirectExit {
  readonly asked: string[] = [];
  readonly names = new Map<string, string>();

  override lookup(host: string): Promise<readonly LookupAddress[]> {
    this.asked.push(host);
    const address = this.names.get(host);
    if (address !== undefined) return Promise.resolve([{ address, family: 4 }]);
    const code = 'ENOTFOUND';
    return Promise.reject(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code, syscall: 'getaddrinfo' }));
  }
}

export interface StartedProxy {
  readonly server: ProxyServer;
  readonly counters: ProxyCounters;
  readonly port: number;
}

export class ProxyFixture {
  readonly pair: PairOfHosts;
  readonly tunnel: TunnelExit;
  readonly direct = new RecordingExit();
  /** Names that the DNS server inside of the tunnel knows, and what it was asked. */
  readonly names = new Map<string, string>([['web.internal', RIGHT[4]]]);
  readonly asked: string[] = [];
  readonly #closers: (() => Promise<unknown> | unknown)[] = [];

  private constructor(pair: PairOfHosts) {
    this.pair = pair;
    this.tunnel = new TunnelExit('wg0', pair.left);
    this.#serveNames();
  }

  static async open(): Promise<ProxyFixture> {
    const pair = await openPair(true, [RIGHT[4]]);
    // The other end learns the endpoint, so that it can connect, too.
    await pair.left.ping(RIGHT[4]);
    return new ProxyFixture(pair);
  }

  router(...rules: readonly string[]): Router {
    return new Router({ tunnels: [this.tunnel], direct: this.direct, rules: rules.map(parseRule) });
  }

  async start(
    listener: Partial<ProxyListener> = {},
    rules: readonly string[] = [],
    options: ProxyServerOptions = {},
  ): Promise<StartedProxy> {
    const counters = new ProxyCounters();
    const at: ListenAddress = { host: '127.0.0.1', port: 0 };
    const whole: ProxyListener = { protocol: 'any', at, ...listener };
    const server = await ProxyServer.start([whole], this.router(...rules), counters, options);
    this.#closers.push(() => server.close());
    const [place] = server.addresses;
    return { server, counters, port: 'port' in place! ? place.port : 0 };
  }

  /** Serves connections inside of the tunnel. @returns The port. */
  async serveInside(onConnection: (socket: TunnelSocket) => void, port = 0): Promise<number> {
    const server = this.pair.right.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {}); // connections that are open at the end of a test are reset
      onConnection(socket);
    });
    server.listen(port);
    await once(server, 'listening');
    this.#closers.push(() => void server.close());
    return server.address()!.port;
  }

  async serveHttpInside(handler: http.RequestListener): Promise<{ web: http.Server; port: number }> {
    const web = http.createServer(handler);
    const port = await this.serveInside((socket) => web.emit('connection', socket));
    this.#closers.push(() => web.closeAllConnections());
    return { web, port };
  }

  /** Serves connections on loopback, past the tunnel. @returns The port. */
  async serveOutside(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(() => void server.close());
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
    await this.pair.left.close();
    await this.pair.right.close();
  }

  #serveNames(): void {
    const dns = this.pair.right.createUdpSocket('udp4', (message, { port, address }) => {
      const query = decode(message);
      const [question] = query.questions!;
      this.asked.push(question!.name);
      const data = question!.type === 'A' ? this.names.get(question!.name) : undefined;
      const answers = data === undefined ? [] : [{ type: 'A' as const, name: question!.name, ttl: 1, data }];
      const answer = encode({ type: 'response', id: query.id!, questions: query.questions!, answers });
      dns.send(answer, port, address);
    });
    dns.bind(53);
    this.#closers.push(() => void dns.close());
  }
}

/** A client that speaks byte by byte. */
export class RawClient {
  readonly socket: Socket;
  readonly #progress = new EventEmitter();
  #received = Buffer.alloc(0);
  isEnded = false;
  isClosed = false;
  errorCode: string | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#progress.emit('progress');
    });
    this.socket.on('end', () => {
      this.isEnded = true;
      this.#progress.emit('progress');
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code;
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#progress.emit('progress');
    });
  }

  send(bytes: string | Uint8Array | readonly number[]): this {
    this.socket.write(typeof bytes === 'string' ? bytes : Buffer.from(bytes));
    return this;
  }

  /** Takes exactly that many bytes. */
  async take(bytes: number): Promise<Buffer> {
    await this.until(() => this.#received.length >= bytes || this.isEnded || this.isClosed);
    const taken = this.#received.subarray(0, bytes);
    this.#received = this.#received.subarray(bytes);
    return taken;
  }

  /** Takes everything until the other end has ended. */
  async rest(): Promise<Buffer> {
    await this.until(() => this.isEnded || this.isClosed);
    return await this.take(this.#received.length);
  }

  async closed(): Promise<void> {
    await this.until(() => this.isClosed);
  }

  /** Takes bytes until a text is there. */
  async takeThrough(text: string): Promise<string> {
    await this.until(() => this.#received.includes(text) || this.isEnded || this.isClosed);
    const at = this.#received.indexOf(text);
    return (await this.take(at < 0 ? this.#received.length : at + text.length)).toString('latin1');
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#progress, 'progress');
  }
}

/** Waits for a condition that no event announces. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
