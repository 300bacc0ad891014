import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import type { ClientConnection } from '../server/client-connection.js';
import type { Refusal } from '../server/proxy-counters.js';
import type { ProxyService } from '../server/proxy-service.js';
import { OriginAgents } from './exit-agent.js';
import { forwardRequest } from './forward-request.js';
import { forwardUpgrade } from './forward-upgrade.js';
import type { HttpExchange } from './http-exchange.js';
import { formatRefusal } from './refusal.js';
import { serveConnect } from './serve-connect.js';

const HEADERS_MS = 30_000;
const CHECK_EVERY_MS = 5_000;
/** A connection of a client without a request is closed after this time. */
const KEEP_ALIVE_MS = 60_000;
const MAX_HEADER_BYTES = 32_768;
/** Requests of one connection whose responses are not complete: Node itself would read on without a limit. */
const MAX_PIPELINED = 64;

/**
 * Serves clients that speak HTTP: CONNECT, requests in absolute-form, and upgrades.
 *
 * Node's parser is used in its strict mode: a message whose length is ambiguous is refused (RFC 9112 §6.3, §11.2).
 */
export class HttpProxy {
  readonly #service: ProxyService;
  readonly #agents = new OriginAgents();
  readonly #connections = new WeakMap<Duplex, ClientConnection>();
  readonly #server: Server;

  constructor(service: ProxyService) {
    this.#service = service;
    this.#server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: 0, // an upload takes as long as it takes
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    // The size of the head bounds their number; Node would leave fields out beyond its own limit.
    this.#server.maxHeadersCount = 0;
    this.#listen();
  }

  serve(connection: ClientConnection): void {
    this.#connections.set(connection.socket, connection);
    this.#server.emit('connection', connection.socket);
  }

  /** Ends connections without a request; the others end with their response. */
  close(): void {
    this.#server.close();
  }

  #listen(): void {
    const server = this.#server;
    server.on('request', (request, response) => this.#forward(request, response));
    server.on('checkContinue', (request, response) => this.#forward(request, response));
    server.on('connect', (request, _socket, head) => this.#takeOver(request, head, serveConnect));
    server.on('upgrade', (request, _socket, head) => this.#takeOver(request, head, forwardUpgrade));
    server.on('clientError', (error, socket) => this.#refuse(error, socket));
    // Node begins to look for clients with unfinished heads when a server listens, which this one leaves to its owner.
    server.emit('listening');
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#exchange(request);
    if (exchange.connection.exchanges >= MAX_PIPELINED) {
      exchange.connection.drop('limit');
      return;
    }
    exchange.connection.exchanges++;
    response.once('close', () => exchange.connection.exchanges--);
    this.#run(forwardRequest(exchange, response), request);
  }

  /** Serves a request after which the connection no longer carries HTTP. */
  #takeOver(
    request: IncomingMessage,
    head: Buffer,
    serve: (exchange: HttpExchange, head: Buffer) => Promise<void>,
  ): void {
    const exchange = this.#exchange(request);
    // A response to an earlier request is under way, which an answer would cut through.
    if (exchange.connection.exchanges > 0) exchange.connection.drop('malformed');
    else this.#run(serve(exchange, head), request);
  }

  #exchange(request: IncomingMessage): HttpExchange {
    const connection = this.#connections.get(request.socket)!;
    connection.requestArrived();
    connection.lastActiveMs = performance.now();
    this.#service.counters.requests.http++;
    return { request, connection, service: this.#service, agents: this.#agents };
  }

  /** Ends the connection of the client where the system refused something for which there is no answer. */
  #run(served: Promise<void>, { socket }: IncomingMessage): void {
    served.catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#connections.get(socket)?.drop('failed');
    });
  }

  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || socket.destroyed) return;
    // The other end is gone, or a response is under way that an answer would cut through.
    if (error.code === 'ECONNRESET' || !socket.writable || connection.exchanges > 0) {
      socket.destroy();
      return;
    }
    const { status, refusal, sentence } = problemOf(error.code);
    connection.refuse(refusal, formatRefusal({ status, refusal, sentence }));
  }
}

function problemOf(code: string | undefined): { status: number; refusal: Refusal; sentence: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        refusal: 'malformed',
        sentence: `The head of the request exceeds ${MAX_HEADER_BYTES} bytes.`,
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, refusal: 'silent', sentence: 'The head of the request did not arrive in time.' };
    default:
      return { status: 400, refusal: 'malformed', sentence: 'The request breaks the rules of HTTP.' };
  }
}
