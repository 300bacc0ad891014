import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';

import type { IpPrefix } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import type { TunnelStream } from '../gateway/gateway-engine.js';
import type { GatewayService } from '../gateway/gateway-service.js';
import type { GatewayStore } from '../gateway/gateway-store.js';
import { refuseUpgrade } from '../mesh/carrier/refuse-upgrade.js';
import type { MeshHub } from '../mesh/hub/mesh-hub.js';
import type { PeopleStore } from '../store/people-store.js';
import type { WebhookStore } from '../store/webhook-store.js';
import { Attempts } from './auth/attempts.js';
import { Oidc, type OidcSettings } from './auth/oidc.js';
import { Passwords } from './auth/passwords.js';
import { Pending } from './auth/pending.js';
import { hashOf, newLinkSecret } from './auth/secrets.js';
import type { HostInterfaces } from './host-interfaces.js';
import { type Bindings, createApp } from './http/app.js';
import type { EventStream } from './http/event-stream.js';
import { HostNames } from './http/host-names.js';
import { limitRequests, WITHOUT_LOOKS } from './http/request-limits.js';
import { loadStaticFiles } from './http/static-files.js';
import { type ClientFacts, TrustedProxies } from './http/trusted-proxies.js';
import { TlsFiles, type TlsPaths } from './tls-files.js';
import { WebhookSender } from './webhooks/webhook-sender.js';

const SET_UP_MS = 15 * 60_000;
const SOCKET_MODE = 0o600;

export interface GatewayServerOptions {
  readonly gateway: GatewayService;
  readonly store: GatewayStore & PeopleStore & WebhookStore;
  readonly version: string;
  /** Folder of the built page. */
  readonly pageFolder: string;
  /** Names and addresses that the page is asked for by, besides those of the loopback. */
  readonly hostNames: readonly string[];
  /** Absent: there is no OpenID provider. */
  readonly oidc?: OidcSettings;
  /** Starts the gateway again with a backup. Absent: backups are not restored by HTTP. */
  readonly restore?: (path: string) => void;
  /** A folder of mode 0700 for backups on their way. */
  readonly folder?: string;
  /** The hub of a mesh: takes carriers and control connections. */
  readonly hub?: MeshHub;
  /** The WireGuard interfaces of this host. Absent: they are not shown. */
  readonly interfaces?: HostInterfaces;
  /** Reverse proxies whose `X-Forwarded-…` headers are believed. Default: none. */
  readonly trustedProxies?: readonly IpPrefix[];
  readonly log: (line: string) => void;
  readonly nowUnixMs?: () => number;
}

/**
 * The HTTP interface and the page of a gateway: on TCP addresses, on a UNIX socket for whoever owns it, and inside of the
 * tunnel, where the key of the peer tells which device is there.
 */
export class GatewayServer implements AsyncDisposable {
  readonly #options: GatewayServerOptions;
  readonly #servers: Server[] = [];
  readonly #tlsFiles: TlsFiles[] = [];
  readonly #app: ReturnType<typeof createApp>['app'];
  readonly #events: EventStream;
  readonly #inside: Server;
  readonly #webhooks: WebhookSender;
  readonly #nowUnixMs: () => number;
  readonly #proxies: TrustedProxies;
  #socketPath: string | undefined;

  constructor(options: GatewayServerOptions) {
    this.#options = options;
    this.#nowUnixMs = options.nowUnixMs ?? Date.now;
    this.#proxies = new TrustedProxies(options.trustedProxies ?? []);
    this.#webhooks = new WebhookSender(options.gateway, options.store, this.#nowUnixMs);
    const { app, events } = createApp({
      webhooks: this.#webhooks,
      gateway: options.gateway,
      store: options.store,
      version: options.version,
      log: options.log,
      nowUnixMs: this.#nowUnixMs,
      passwords: new Passwords(),
      attempts: new Attempts(() => performance.now()),
      interfaces: options.interfaces,
      hub: options.hub,
      restore: options.restore,
      folder: options.folder,
      challenges: new Pending(() => performance.now()),
      oidc: options.oidc === undefined ? undefined : new Oidc(options.oidc, () => performance.now()),
      hostNames: new HostNames(options.hostNames),
      files: loadStaticFiles(options.pageFolder),
    });
    this.#app = app;
    this.#events = events;
    this.#inside = this.#makeServer('tunnel');
  }

  /**
   * Listens on a TCP address, with TLS where there are files for it.
   *
   * @param port 0: any free one.
   * @returns The port.
   * @throws {WireGuardError} ERR_PAGE_LISTEN, ERR_TLS_FILES
   */
  async listen(host: string, port: number, tls?: TlsPaths): Promise<number> {
    const server = tls === undefined ? this.#makeServer('network') : this.#makeTlsServer(tls);
    await listening(server, () => server.listen(port, host), `${host}:${port}`);
    return (server.address() as AddressInfo).port;
  }

  /** Listens on a UNIX socket: its owner may do everything. @throws {WireGuardError} ERR_PAGE_LISTEN */
  async listenLocal(path: string): Promise<void> {
    if (await isAlive(path)) throw new WireGuardError('ERR_PAGE_LISTEN', `${path}: another program listens there`);
    rmSync(path, { force: true });
    const server = this.#makeServer('local');
    const mask = process.umask(0o177);
    try {
      await listening(server, () => server.listen(path), path);
    } finally {
      process.umask(mask);
    }
    chmodSync(path, SOCKET_MODE);
    this.#socketPath = path;
  }

  /** Serves a connection of a device. */
  serveInside(stream: TunnelStream): void {
    this.#inside.emit('connection', stream);
  }

  /** Makes the link of the first start, if nobody can sign in so far. @returns Its secret, for the fragment of a URL. */
  async makeSetUpLink(): Promise<string | undefined> {
    const { store } = this.#options;
    if ((await store.people()).length > 0) return undefined;
    return this.#makeLink({ purpose: 'setup' });
  }

  async close(): Promise<void> {
    this.#events.close();
    await this.#webhooks.close();
    for (const files of this.#tlsFiles) files.close();
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    if (this.#socketPath !== undefined) rmSync(this.#socketPath, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #makeLink(kind: { purpose: 'setup' } | { purpose: 'recovery'; person: string }): Promise<string> {
    const secret = newLinkSecret();
    const createdAtUnixMs = this.#nowUnixMs();
    const expiresAtUnixMs = createdAtUnixMs + SET_UP_MS;
    const link = { ...kind, hash: hashOf(secret), createdBy: 'local', createdAtUnixMs, expiresAtUnixMs };
    const audit = {
      atUnixMs: createdAtUnixMs,
      actor: 'local',
      operation: 'link.make',
      details: { purpose: kind.purpose },
    };
    await this.#options.store.changePeople({ putLinks: [link], audit });
    return secret;
  }

  #makeServer(way: Bindings['way']): Server {
    const server = createServer(WITHOUT_LOOKS, this.#listenerFor(way, false));
    this.#takeUpgrades(server, false, limitRequests(server));
    this.#servers.push(server);
    return server;
  }

  #makeTlsServer(paths: TlsPaths): Server {
    const options = { ...WITHOUT_LOOKS, ...TlsFiles.read(paths) };
    const server: TlsServer = createTlsServer(options, this.#listenerFor('network', true));
    this.#takeUpgrades(server, true, limitRequests(server));
    const files = new TlsFiles(paths, () => {
      try {
        server.setSecureContext(files.read());
        this.#options.log('the certificate was read again');
      } catch (error) {
        this.#options.log(`the old certificate stays: ${error instanceof Error ? error.message : ''}`);
      }
    });
    this.#tlsFiles.push(files);
    this.#servers.push(server);
    return server;
  }

  /** WebSockets are the hub's; anything else that wants to be one is refused. */
  #takeUpgrades(server: Server | TlsServer, isSecure: boolean, release: (stream: Duplex) => void): void {
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      const { device } = request.socket as IncomingMessage['socket'] & { device?: string };
      const { address } = this.#clientOf(request, isSecure);
      const from = { address, ...(device === undefined ? {} : { device }) };
      stream.on('error', () => stream.destroy());
      if (this.#options.hub?.upgrade(request, stream, head, from) === true) release(stream);
      else refuseUpgrade(stream, '404 Not Found');
    });
  }

  #clientOf(request: Http2ServerRequest | IncomingMessage, isSecure: boolean): ClientFacts {
    return this.#proxies.clientOf({
      address: request.socket.remoteAddress ?? '',
      isSecure,
      host: request.headers.host,
      forwardedFor: headerOf(request, 'x-forwarded-for'),
      forwardedProto: headerOf(request, 'x-forwarded-proto'),
      forwardedHost: headerOf(request, 'x-forwarded-host'),
    });
  }

  #listenerFor(way: Bindings['way'], isSecure: boolean): RequestListener {
    const listener = getRequestListener(
      (request, env) => this.#app.fetch(request, { ...env, way, client: this.#clientOf(env.incoming, isSecure) }),
      { overrideGlobalObjects: false },
    );
    return (request, response) => void listener(request, response);
  }
}

function headerOf(request: IncomingMessage | Http2ServerRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

async function listening(server: Server, begin: () => void, where: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new WireGuardError('ERR_PAGE_LISTEN', `${where}: ${error.message}`)));
    server.once('listening', resolve);
    begin();
  });
}

/** Whether a program answers at a UNIX socket: the file of one that was killed stays behind. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
