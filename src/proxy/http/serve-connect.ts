import { joinStreams } from '../../rootless/join-streams.js';
import { RouteError } from '../rules/route-error.js';
import { attemptFor } from '../server/connect-attempt.js';
import { isAuthorized } from './basic-auth.js';
import type { HttpExchange } from './http-exchange.js';
import { formatRefusal, type HttpRefusal, malformed, NEEDS_CREDENTIALS, refusalOf } from './refusal.js';
import { parseConnectTarget } from './request-target.js';

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** Serves CONNECT: joins the client with the target, and from then on carries bytes (RFC 9110 §9.3.6). */
export async function serveConnect({ request, connection, service }: HttpExchange, head: Buffer): Promise<void> {
  const { socket } = connection;
  const refuse = (refusal: HttpRefusal): void => connection.refuse(refusal.refusal, formatRefusal(refusal));
  const destination = parseConnectTarget(request.url ?? '');
  if (destination === undefined) return refuse(malformed('The target of CONNECT is not HOST:PORT.'));
  if (!isAuthorized(request.rawHeaders, service.credentials)) return refuse(NEEDS_CREDENTIALS);
  if (head.length > 0) socket.unshift(head);
  try {
    const stream = await attemptFor(socket, (signal) => service.router.connect(destination, signal));
    socket.write(ESTABLISHED);
    joinStreams(socket, stream, connection);
  } catch (error) {
    if (!(error instanceof RouteError)) throw error;
    if (!socket.destroyed) refuse(refusalOf(error));
  }
}
