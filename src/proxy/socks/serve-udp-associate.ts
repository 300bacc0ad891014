import { createSocket, type Socket as RelaySocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

import type { Destination } from '../exit.js';
import { parseHost } from '../rules/host-name.js';
import { RouteError } from '../rules/route-error.js';
import type { ClientConnection } from '../server/client-connection.js';
import { attemptFor } from '../server/connect-attempt.js';
import type { ProxyService } from '../server/proxy-service.js';
import { formatReply, Reply } from './socks5-messages.js';
import { UdpAssociation } from './udp-association.js';

const EXPIRE_EVERY_MS = 60_000;
/** Datagrams to the client that wait for the kernel; more than this is dropped. */
const MAX_QUEUED_BYTES = 1_048_576;

/**
 * Opens a port for the datagrams of one client, next to the port of the listener, for as long as its TCP connection lasts.
 *
 * Source: RFC 1928 §4, §6, §7.
 */
export async function serveUdpAssociate(
  connection: ClientConnection,
  announced: Destination,
  service: ProxyService,
): Promise<void> {
  const { socket } = connection;
  const own = parseHost(socket.localAddress ?? '');
  const client = parseHost(socket.remoteAddress ?? '');
  if (own === undefined || client === undefined)
    throw new RouteError('failed', 'a client on a UNIX socket has no address for datagrams');
  const relay = createSocket(own.address?.length === 16 ? 'udp6' : 'udp4');
  socket.once('close', () => relay.close());
  relay.bind({ port: 0, address: own.text, exclusive: true });
  await once(relay, 'listening');
  serveRelay(relay, new ClientAddress(client.text, announced), connection, service);
  socket.write(formatReply(Reply.Succeeded, own.text, relay.address().port));
  endWithConnection(connection);
}

function serveRelay(
  relay: RelaySocket,
  client: ClientAddress,
  connection: ClientConnection,
  service: ProxyService,
): void {
  const { socket, counters } = connection;
  const association = new UdpAssociation({
    counters,
    nowMs: () => performance.now(),
    route: (to) => attemptFor(socket, (signal) => service.router.routeToAddresses(to, signal)),
    reply: (header, payload) => {
      connection.lastActiveMs = performance.now();
      if (relay.getSendQueueSize() < MAX_QUEUED_BYTES)
        relay.send([header, payload], client.port, client.host, () => {});
      else counters.datagrams.dropped.full++;
    },
  });
  relay.on('message', (message, from) => {
    if (!client.isSender(from)) {
      counters.datagrams.dropped.foreign++;
      return;
    }
    connection.lastActiveMs = performance.now();
    association.take(message);
  });
  relay.on('error', () => {}); // a datagram was refused, which UDP may do
  const timer = setInterval(() => association.expire(), EXPIRE_EVERY_MS);
  timer.unref();
  socket.once('close', () => {
    clearInterval(timer);
    association.close();
  });
}

/** RFC 1928 §7: the association ends with its TCP connection. Bytes on it have no meaning. */
function endWithConnection({ socket }: ClientConnection): void {
  socket.on('data', () => {});
  socket.on('end', () => socket.destroy());
  socket.resume();
}

/** The address that may send: that of the TCP connection, with the port that was announced, or of the first datagram. */
class ClientAddress {
  readonly host: string;
  port: number;

  constructor(host: string, announced: Destination) {
    this.host = host;
    const isUnspecified = announced.host === '0.0.0.0' || announced.host === '::';
    const isClient = parseHost(announced.host)?.text === host;
    this.port = isUnspecified || isClient ? announced.port : 0;
  }

  isSender({ address, port }: RemoteInfo): boolean {
    if (address !== this.host) return false;
    if (this.port === 0) this.port = port;
    return port === this.port;
  }
}
