import { type ClientRequest, type IncomingMessage, request as sendRequest } from 'node:http';

import { RouteError, routeError } from '../rules/route-error.js';
import type { Route } from '../rules/router.js';
import type { ClientConnection } from '../server/client-connection.js';
import { attemptFor } from '../server/connect-attempt.js';
import type { ProxyService } from '../server/proxy-service.js';
import { isAuthorized } from './basic-auth.js';
import type { ExitAgent, ExitRequestArgs, OriginAgents } from './exit-agent.js';
import { type Framing, framingOf } from './header-fields.js';
import { type HttpRefusal, malformed, NEEDS_CREDENTIALS } from './refusal.js';
import { type AbsoluteTarget, parseAbsoluteTarget } from './request-target.js';

/** A request of a client, with everything that serves it. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly connection: ClientConnection;
  readonly service: ProxyService;
  readonly agents: OriginAgents;
}

/** A request that goes to an origin server. */
export interface OriginRequest {
  readonly target: AbsoluteTarget;
  readonly framing: Framing;
}

/** Checks target, credentials and framing of a request that is not CONNECT. */
export function checkRequest({ request, service }: HttpExchange): OriginRequest | HttpRefusal {
  const target = parseAbsoluteTarget(request.url ?? '', request.method ?? '');
  if ('problem' in target) return malformed(target.problem);
  if (!isAuthorized(request.rawHeaders, service.credentials)) return NEEDS_CREDENTIALS;
  const framing = framingOf(request.rawHeaders);
  // RFC 9112 §6.1: a coding that is not understood, and chunks in a version without them.
  if (framing === 'unknown-coding') return malformed('The transfer coding of the request is not chunked alone.', 501);
  if (framing === 'chunked' && request.httpVersion === '1.0') return malformed('A request of HTTP/1.0 has no chunks.');
  return { target, framing };
}

/** Finds the way of a request. @throws {RouteError} */
export async function routeRequest({ connection, service }: HttpExchange, { target }: OriginRequest): Promise<Route> {
  return await attemptFor(connection.socket, (signal) => service.router.route(target.destination, signal));
}

/** Begins a request to the origin server. @throws If the target or a field cannot be written. */
export function openRequest(
  { request, connection, service }: HttpExchange,
  { target }: OriginRequest,
  { route, agent, fields }: { route: Route; agent: ExitAgent; fields: readonly string[] },
): ClientRequest {
  const args: ExitRequestArgs = {
    agent,
    host: target.destination.host,
    port: target.destination.port,
    path: target.path,
    ...(request.method === undefined ? {} : { method: request.method }),
    headers: fields as string[],
    route,
    dial: (route) => attemptFor(connection.socket, (signal) => service.router.dial(route, signal)),
  };
  return sendRequest(args);
}

/** Translates an error between proxy and origin server. */
export function originError(error: Error, { exchange, origin, route }: FailedExchange): RouteError {
  if (error instanceof RouteError) return error;
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  const { host } = origin.target.destination;
  if (code.startsWith('HPE_')) {
    exchange.service.counters.malformedResponses++;
    return new RouteError('failed', `the response of ${host} breaks the rules of HTTP`, { cause: error });
  }
  if (error.message === 'socket hang up')
    return new RouteError('reset', `${host} closed the connection without a response`, { cause: error });
  return routeError(error, origin.target.destination, route.exit);
}

interface FailedExchange {
  readonly exchange: HttpExchange;
  readonly origin: OriginRequest;
  readonly route: Route;
}
