import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface RequestLimits {
  /** From the begin of a connection, or the end of an answer, until the headers of a request are there. */
  readonly headersMs: number;
  /** From the headers of a request to its end. */
  readonly bodyMs: number;
}

export const REQUEST_LIMITS: RequestLimits = { headersMs: 60_000, bodyMs: 300_000 };

/**
 * Options of a server that does not look at its connections by itself: Node's look wakes an idle process twice a minute.
 * `limitRequests` takes its place.
 */
export const WITHOUT_LOOKS = { connectionsCheckingInterval: 2 ** 31 - 1 } as const;

/**
 * Ends connections that are slow on purpose. There is a timer for each connection, and none without one.
 *
 * @returns A function that takes a connection out of the limits: one that has become a WebSocket brings no more requests.
 */
export function limitRequests(
  server: Server,
  { headersMs, bodyMs }: RequestLimits = REQUEST_LIMITS,
): (socket: Duplex) => void {
  const timers = new WeakMap<Duplex, NodeJS.Timeout>();
  const release = (socket: Duplex): void => clearTimeout(timers.get(socket));
  const arm = (socket: Duplex, ms: number): void => {
    release(socket);
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), ms),
    );
  };
  // The handshake of TLS has a limit of its own, and the connection below it never sees a request.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Duplex) => {
    arm(socket, headersMs);
    socket.once('close', () => release(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (hasBody(request)) arm(socket, bodyMs);
    else release(socket);
    request.once('end', () => release(socket));
    response.once('close', () => {
      if (!socket.destroyed) arm(socket, headersMs);
    });
  });
  return release;
}

/** Makes a server with limits that wakes nobody while it has no connections. */
export function createQuietServer(listener: RequestListener, limits?: RequestLimits): Server {
  const server = createServer(WITHOUT_LOOKS, listener);
  limitRequests(server, limits);
  return server;
}

/** RFC 9112 §6.3: a request without either field has no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
