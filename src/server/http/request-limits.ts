import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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

/** Ends connections that are slow on purpose. There is a timer for each connection, and none without one. */
export function limitRequests(server: Server, { headersMs, bodyMs }: RequestLimits = REQUEST_LIMITS): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const arm = (socket: Socket, ms: number): void => {
    clearTimeout(timers.get(socket));
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), ms),
    );
  };
  const begin = (socket: Socket): void => {
    arm(socket, headersMs);
    socket.once('close', () => clearTimeout(timers.get(socket)));
  };
  server.on('connection', begin);
  server.on('secureConnection', begin);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (hasBody(request)) arm(socket, bodyMs);
    else clearTimeout(timers.get(socket));
    request.once('end', () => clearTimeout(timers.get(socket)));
    response.once('close', () => {
      if (!socket.destroyed) arm(socket, headersMs);
    });
  });
}

/** RFC 9112 §6.3: a request without either field has no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
