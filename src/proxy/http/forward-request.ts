import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';

import { resetStream } from '../../rootless/join-streams.js';
import { RouteError } from '../rules/route-error.js';
import type { Route } from '../rules/router.js';
import { endToEndFields, framingOf, requestFields } from './header-fields.js';
import {
  checkRequest,
  type HttpExchange,
  type OriginRequest,
  openRequest,
  originError,
  routeRequest,
} from './http-exchange.js';
import { formatHead, type HttpRefusal, refusalBody, refusalFields, refusalOf } from './refusal.js';

/** Methods that may be sent twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** Methods whose requests have no Content-Length if they have no body (RFC 9110 §8.6). */
const BODILESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

/**
 * Forwards one request in absolute-form to its origin server, and the response back, both as they stream in.
 *
 * A request that may be repeated takes a connection that is open already, and is sent once more if the server closed that one at
 * the same moment (RFC 9112 §9.3.1). Other requests get a connection of their own.
 */
export async function forwardRequest(exchange: HttpExchange, response: ServerResponse): Promise<void> {
  const origin = checkRequest(exchange);
  if ('status' in origin) return answer(exchange, response, origin);
  try {
    const route = await routeRequest(exchange, origin);
    if (!response.destroyed) new ForwardedRequest(exchange, origin, route, response).send();
  } catch (error) {
    if (!(error instanceof RouteError)) throw error;
    answer(exchange, response, refusalOf(error));
  }
}

/** Answers in place of the origin server. */
function answer({ request, connection }: HttpExchange, response: ServerResponse, refusal: HttpRefusal): void {
  if (response.destroyed) return;
  connection.counters.refused[refusal.refusal]++;
  const body = refusalBody(refusal);
  const fields = refusalFields(refusal, body);
  // The rest of a body would have to be read before the next request.
  if (framingOf(request.rawHeaders) !== 'none') fields.push('Connection', 'close');
  request.unpipe();
  request.resume();
  response.writeHead(refusal.status, fields);
  response.end(body);
}

class ForwardedRequest {
  readonly #exchange: HttpExchange;
  readonly #origin: OriginRequest;
  readonly #route: Route;
  readonly #response: ServerResponse;
  readonly #isRepeatable: boolean;
  #upstream: ClientRequest | undefined;
  #isRepeated = false;
  /** Whether the proxy itself answers, whatever becomes of the connection to the server. */
  #isAnswered = false;

  constructor(exchange: HttpExchange, origin: OriginRequest, route: Route, response: ServerResponse) {
    this.#exchange = exchange;
    this.#origin = origin;
    this.#route = route;
    this.#response = response;
    this.#isRepeatable = origin.framing === 'none' && IDEMPOTENT.has(exchange.request.method ?? '');
    response.on('close', () => {
      if (!response.writableFinished) this.#upstream?.destroy();
    });
  }

  send(): void {
    const { agents, request } = this.#exchange;
    const agent = this.#isRepeatable && !this.#isRepeated ? agents.kept(this.#route.exit) : agents.single;
    const upstream = this.#open(agent);
    if (upstream === undefined) return;
    this.#upstream = upstream;
    upstream.on('error', (error) => this.#failed(upstream, error));
    upstream.on('response', (incoming) => this.#receive(incoming));
    upstream.on('continue', () => this.#response.writeContinue());
    upstream.on('information', ({ statusCode, statusMessage, rawHeaders }) =>
      this.#inform(formatHead(statusCode, statusMessage, endToEndFields(rawHeaders))),
    );
    if (this.#origin.framing === 'none') {
      upstream.end();
      return;
    }
    request.on('data', (chunk: Uint8Array) => this.#exchange.connection.count(chunk.length, true));
    request.pipe(upstream);
  }

  /** @returns `undefined` after a request that cannot be written was answered. */
  #open(agent: ReturnType<HttpExchange['agents']['kept']>): ClientRequest | undefined {
    try {
      return openRequest(this.#exchange, this.#origin, { route: this.#route, agent, fields: this.#fields() });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      const sentence = 'The request has characters that cannot be forwarded.';
      answer(this.#exchange, this.#response, { status: 400, refusal: 'malformed', sentence });
      return undefined;
    }
  }

  #fields(): string[] {
    const { request } = this.#exchange;
    const fields = requestFields(request.rawHeaders, this.#origin.target.authority);
    if (this.#origin.framing === 'chunked') fields.push('Transfer-Encoding', 'chunked');
    else if (this.#origin.framing === 'none' && !BODILESS.has(request.method ?? '')) fields.push('Content-Length', '0');
    return fields;
  }

  /** RFC 9110 §15.2: interim responses are forwarded, except to clients of HTTP/1.0. */
  #inform(head: string): void {
    const { socket } = this.#response;
    const isExpected = this.#exchange.request.httpVersion !== '1.0' && !this.#response.headersSent;
    if (socket !== null && isExpected && !head.startsWith('HTTP/1.1 100 ')) socket.write(head, 'latin1');
  }

  #receive(incoming: IncomingMessage): void {
    const response = this.#response;
    incoming.on('error', () => this.#cutOff());
    if (framingOf(incoming.rawHeaders) === 'unknown-coding' || !this.#writeHead(incoming)) {
      this.#answerMalformed();
      return;
    }
    incoming.on('data', (chunk: Uint8Array) => this.#exchange.connection.count(chunk.length, false));
    incoming.pipe(response);
  }

  /** @returns Whether the head can be written. */
  #writeHead(incoming: IncomingMessage): boolean {
    const response = this.#response;
    response.sendDate = false;
    try {
      response.writeHead(incoming.statusCode!, incoming.statusMessage, endToEndFields(incoming.rawHeaders));
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  }

  #answerMalformed(): void {
    this.#isAnswered = true;
    this.#upstream?.destroy();
    this.#exchange.service.counters.malformedResponses++;
    const { host } = this.#origin.target.destination;
    const sentence = `The response of ${host} breaks the rules of HTTP.`;
    answer(this.#exchange, this.#response, { status: 502, refusal: 'failed', sentence });
  }

  #failed(upstream: ClientRequest, error: Error): void {
    const response = this.#response;
    if (response.destroyed || response.writableFinished || this.#isAnswered || upstream !== this.#upstream) return;
    if (response.headersSent) {
      this.#cutOff();
      return;
    }
    if (upstream.reusedSocket && this.#isRepeatable && !this.#isRepeated && !(error instanceof RouteError)) {
      this.#isRepeated = true;
      this.send();
      return;
    }
    const failed = { exchange: this.#exchange, origin: this.#origin, route: this.#route };
    answer(this.#exchange, response, refusalOf(originError(error, failed)));
  }

  /** A response that ends too early must not look complete: the client gets a reset. */
  #cutOff(): void {
    if (!this.#response.writableFinished && !this.#isAnswered) resetStream(this.#exchange.connection.socket);
  }
}
