import { joinStreams } from '../../rootless/join-streams.js';
import { RouteError, type RouteFailure } from '../rules/route-error.js';
import type { ClientConnection } from '../server/client-connection.js';
import { attemptFor } from '../server/connect-attempt.js';
import type { ProxyService } from '../server/proxy-service.js';
import { formatFailure } from './reply-codes.js';
import { serveBind } from './serve-bind.js';
import { serveUdpAssociate } from './serve-udp-associate.js';
import { SocksHandshake, type SocksRequest } from './socks-handshake.js';
import { formatReply4, Reply4 } from './socks4-messages.js';
import { formatReply, Reply } from './socks5-messages.js';

/** Serves a client that speaks SOCKS version 5, 4 or 4a: reads its request, carries it out, and replies. */
export function serveSocks(connection: ClientConnection, service: ProxyService): void {
  const { socket } = connection;
  const handshake = new SocksHandshake(service.credentials);
  const take = (chunk: Uint8Array): void => {
    const step = handshake.take(chunk);
    if (step.kind === 'refused') {
      connection.refuse(step.refusal, step.reply);
      return;
    }
    if (step.reply.length > 0) socket.write(step.reply);
    if (step.kind === 'more') return;
    socket.removeListener('data', take);
    socket.removeListener('end', giveUp);
    socket.pause();
    if (step.rest.length > 0) socket.unshift(step.rest);
    connection.requestArrived();
    carryOut(connection, step.request, service);
  };
  const giveUp = (): void => connection.drop('malformed');
  socket.on('data', take);
  socket.on('end', giveUp);
  socket.resume();
}

function carryOut(connection: ClientConnection, request: SocksRequest, service: ProxyService): void {
  service.counters.requests[request.version === 4 ? 'socks4' : 'socks5']++;
  serve(connection, request, service).catch((error: unknown) => {
    if (!(error instanceof RouteError || (error instanceof Error && 'code' in error))) throw error;
    if (connection.socket.destroyed) return;
    const failure: RouteFailure = error instanceof RouteError ? error.failure : 'failed';
    connection.refuse(failure, formatFailure(request.version, failure));
  });
}

async function serve(connection: ClientConnection, request: SocksRequest, service: ProxyService): Promise<void> {
  if (request.command === 'bind') return await serveBind(connection, request.destination, service);
  if (request.command === 'udp-associate') return await serveUdpAssociate(connection, request.destination, service);
  const { socket } = connection;
  const stream = await attemptFor(socket, (signal) => service.router.connect(request.destination, signal));
  socket.write(
    request.version === 4
      ? formatReply4(Reply4.Granted)
      : formatReply(Reply.Succeeded, stream.localAddress, stream.localPort),
  );
  joinStreams(socket, stream, connection);
}
