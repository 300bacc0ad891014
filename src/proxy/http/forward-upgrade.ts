import type { ClientRequest, IncomingMessage } from 'node:http';

import { joinStreams } from '../../rootless/join-streams.js';
import type { ExitStream } from '../exit.js';
import { RouteError } from '../rules/route-error.js';
import { closeAfter } from '../server/client-connection.js';
import { endToEndFields, framingOf, requestFields, valuesOf } from './header-fields.js';
import {
  checkRequest,
  type HttpExchange,
  type OriginRequest,
  openRequest,
  originError,
  routeRequest,
} from './http-exchange.js';
import { formatHead, formatRefusal, type HttpRefusal, malformed, refusalOf } from './refusal.js';

/**
 * Forwards a request for another protocol, such as WebSocket: the connections are joined if the server switches, and
 * its response goes to the client if it does not.
 *
 * Source: RFC 9110 §7.8.
 */
export async function forwardUpgrade(exchange: HttpExchange, head: Buffer): Promise<void> {
  const { connection } = exchange;
  const { socket } = connection;
  const refuse = (refusal: HttpRefusal): void => connection.refuse(refusal.refusal, formatRefusal(refusal));
  const origin = checkRequest(exchange);
  if ('status' in origin) return refuse(origin);
  if (origin.framing !== 'none') return refuse(malformed('A request for another protocol must not have a body here.'));
  if (head.length > 0) socket.unshift(head);
  try {
    await switchProtocols(exchange, origin);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error) && !(error instanceof RouteError)) throw error;
    const isRoute = error instanceof RouteError;
    refuse(isRoute ? refusalOf(error) : malformed('The request has characters that cannot be forwarded.'));
  }
}

async function switchProtocols(exchange: HttpExchange, origin: OriginRequest): Promise<void> {
  const { request, connection, agents } = exchange;
  const { socket } = connection;
  const route = await routeRequest(exchange, origin);
  const protocols = valuesOf(request.rawHeaders, 'upgrade').join(', ');
  const fields = requestFields(request.rawHeaders, origin.target.authority);
  fields.push('Connection', 'Upgrade', 'Upgrade', protocols);
  const upstream = openRequest(exchange, origin, { route, agent: agents.single, fields });
  const giveUp = (): void => void upstream.destroy();
  socket.once('close', giveUp);
  let isAnswered = false;
  upstream.on('upgrade', (incoming, stream, head) => {
    isAnswered = true;
    socket.removeListener('close', giveUp);
    join(exchange, incoming, { stream: stream as unknown as ExitStream, head });
  });
  upstream.on('response', (incoming) => {
    isAnswered = true;
    declined(exchange, upstream, incoming);
  });
  upstream.on('error', (error) => {
    const refusal = refusalOf(originError(error, { exchange, origin, route }));
    if (!isAnswered && !socket.destroyed) connection.refuse(refusal.refusal, formatRefusal(refusal));
    else socket.destroy();
  });
  upstream.end();
}

function join(
  { connection }: HttpExchange,
  { statusCode = 101, statusMessage = '', rawHeaders }: IncomingMessage,
  { stream, head }: { stream: ExitStream; head: Buffer },
): void {
  const { socket } = connection;
  const protocols = valuesOf(rawHeaders, 'upgrade').join(', ');
  const fields = [...endToEndFields(rawHeaders), 'Connection', 'Upgrade', 'Upgrade', protocols];
  socket.write(formatHead(statusCode, statusMessage, fields), 'latin1');
  if (head.length > 0) stream.unshift(head);
  joinStreams(socket, stream, connection);
}

/** The server stays with HTTP. The body ends with the connection, which needs no framing (RFC 9112 §6.3). */
function declined({ connection, service }: HttpExchange, upstream: ClientRequest, incoming: IncomingMessage): void {
  const { socket } = connection;
  if (framingOf(incoming.rawHeaders) === 'unknown-coding') {
    service.counters.malformedResponses++;
    upstream.destroy();
    socket.destroy();
    return;
  }
  const fields = [...endToEndFields(incoming.rawHeaders), 'Connection', 'close'];
  socket.write(formatHead(incoming.statusCode!, incoming.statusMessage ?? '', fields), 'latin1');
  incoming.on('data', (chunk: Uint8Array) => {
    connection.count(chunk.length, false);
    if (!socket.write(chunk)) incoming.pause();
  });
  socket.on('drain', () => incoming.resume());
  incoming.on('error', () => socket.destroy());
  incoming.on('end', () => closeAfter(socket, ''));
}
