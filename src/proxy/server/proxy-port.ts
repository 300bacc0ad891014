import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

import { HttpProxy } from '../http/http-proxy.js';
import type { ListenAddress, ProxyListener } from '../proxy-config.js';
import type { Router } from '../rules/router.js';
import { serveSocks } from '../socks/serve-socks.js';
import type { ClientConnection } from './client-connection.js';
import type { ConnectionTable } from './connection-table.js';
import { CredentialCheck } from './credential-check.js';
import { type BoundListener, listenOn } from './listen-on.js';
import type { ProxyCounters } from './proxy-counters.js';
import type { ProxyService } from './proxy-service.js';
import { readCertificate, secureStream } from './secure-context.js';

const SOCKS_5 = 5;
const SOCKS_4 = 4;

/** Parts that the ports of a proxy share. */
export interface PortParts {
  readonly router: Router;
  readonly counters: ProxyCounters;
  readonly table: ConnectionTable;
}

/** The settings of a listener, read and checked. */
export interface PortSettings {
  readonly protocol: ProxyListener['protocol'];
  readonly credentials: CredentialCheck | undefined;
  readonly certificate: SecureContext | undefined;
}

/** @throws {WireGuardError} ERR_CERTIFICATE */
export function readPortSettings({ protocol, credentials, certificate }: ProxyListener): PortSettings {
  return {
    protocol,
    credentials: credentials && new CredentialCheck(credentials),
    certificate: certificate && readCertificate(certificate),
  };
}

/** A listener at work: takes connections, and finds out which protocol each of them speaks. */
export class ProxyPort {
  readonly #service: ProxyService;
  readonly #table: ConnectionTable;
  readonly #http: HttpProxy;
  #protocol: ProxyListener['protocol'];
  #secureContext: SecureContext | undefined;
  #listener: BoundListener | undefined;

  private constructor({ router, counters, table }: PortParts, settings: PortSettings) {
    this.#table = table;
    this.#service = { router, counters, credentials: undefined };
    this.#http = new HttpProxy(this.#service);
    this.#protocol = settings.protocol;
    this.update(router, settings);
  }

  /** @throws {WireGuardError} ERR_LISTEN */
  static async open(at: ListenAddress, parts: PortParts, settings: PortSettings): Promise<ProxyPort> {
    const port = new ProxyPort(parts, settings);
    try {
      port.#listener = await listenOn(at, (socket) => port.#accept(socket));
      return port;
    } catch (error) {
      port.close();
      throw error;
    }
  }

  get at(): ListenAddress {
    return this.#listener!.at;
  }

  /** Serves further requests by other rules and settings. Connections that are open go on. */
  update(router: Router, { protocol, credentials, certificate }: PortSettings): void {
    this.#service.router = router;
    this.#service.credentials = credentials;
    this.#protocol = protocol;
    this.#secureContext = certificate;
  }

  /** Takes no more connections. */
  close(): void {
    this.#listener?.close();
    this.#http.close();
  }

  #accept(socket: Socket): void {
    const connection = this.#table.admit(socket);
    if (connection === undefined) return;
    connection.awaitRequest();
    if (this.#secureContext !== undefined) this.#secure(connection, this.#secureContext);
    this.#serve(connection);
  }

  #secure(connection: ClientConnection, secureContext: SecureContext): void {
    const secure = secureStream(connection.socket, secureContext);
    connection.socket = secure.setMaxListeners(0);
    secure.on('error', () => {
      if (connection.isAwaited) this.#service.counters.refused.malformed++;
    });
  }

  #serve(connection: ClientConnection): void {
    if (this.#protocol === 'http') this.#http.serve(connection);
    else if (this.#protocol === 'socks5') serveSocks(connection, this.#service);
    else this.#serveByFirstByte(connection);
  }

  /** A version of SOCKS is no letter, with which every request of HTTP begins. */
  #serveByFirstByte(connection: ClientConnection): void {
    const { socket } = connection;
    socket.once('data', (chunk: Uint8Array) => {
      socket.removeListener('end', giveUp);
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === SOCKS_5 || chunk[0] === SOCKS_4) serveSocks(connection, this.#service);
      else {
        this.#http.serve(connection);
        socket.resume();
      }
    });
    const giveUp = (): void => void socket.destroy();
    socket.once('end', giveUp);
  }
}
