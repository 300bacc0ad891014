import type { Socket } from 'node:net';

import { joinStreams, resetStream } from '../../rootless/join-streams.js';
import type { Destination, Exit, ExitServer, ExitStream } from '../exit.js';
import { parseHost } from '../rules/host-name.js';
import { RouteError, routeError } from '../rules/route-error.js';
import type { Router } from '../rules/router.js';
import type { ClientConnection } from '../server/client-connection.js';
import { attemptFor } from '../server/connect-attempt.js';
import type { ProxyService } from '../server/proxy-service.js';
import { formatReply, Reply } from './socks5-messages.js';

/** The time in which the announced host has to connect. */
const WAIT_MS = 120_000;

/**
 * Opens a port on the side that the rules choose for the announced host, and waits there for one connection: the client gets
 * one reply with the port, and one when the connection is there.
 *
 * Source: RFC 1928 §4, §6.
 */
export async function serveBind(
  connection: ClientConnection,
  announced: Destination,
  { router, counters }: ProxyService,
): Promise<void> {
  const { socket } = connection;
  const expected = await attemptFor(socket, (signal) => expectedHosts(announced, router, signal));
  const port = new BindPort(expected);
  port.onForeign = () => counters.foreignBinds++;
  const stopWatching = watchEnd(socket, () => port.fail(new RouteError('failed', 'the client is gone')));
  try {
    const { address, port: number } = await port.open();
    socket.write(formatReply(Reply.Succeeded, address, number));
    const stream = await port.connection;
    stopWatching();
    socket.write(formatReply(Reply.Succeeded, stream.remoteAddress, stream.remotePort));
    joinStreams(socket, stream, connection);
  } catch (error) {
    throw routeError(error, announced, expected.exit);
  } finally {
    port.close();
    stopWatching();
  }
}

/** Watches for a client that ends while it waits. Bytes that it sends already stay for the connection to come. */
function watchEnd(socket: Socket, onEnd: () => void): () => void {
  const keep = (chunk: Uint8Array): void => {
    socket.pause();
    socket.unshift(chunk);
  };
  socket.once('data', keep);
  socket.once('end', onEnd);
  socket.once('close', onEnd);
  socket.resume();
  return () => {
    socket.removeListener('data', keep);
    socket.removeListener('end', onEnd);
    socket.removeListener('close', onEnd);
    socket.pause();
  };
}

interface Expected {
  readonly exit: Exit;
  /** Addresses that may connect; empty: all may. */
  readonly hosts: ReadonlySet<string>;
  readonly isIpv6: boolean;
}

async function expectedHosts(announced: Destination, router: Router, signal: AbortSignal): Promise<Expected> {
  const isAnyone = announced.host === '0.0.0.0' || announced.host === '::';
  if (isAnyone) {
    const { exit } = await router.route(announced, signal);
    return { exit, hosts: new Set(), isIpv6: announced.host === '::' };
  }
  const { exit, addresses } = await router.routeToAddresses(announced, signal);
  const hosts = new Set(addresses.map(({ address }) => address));
  return { exit, hosts, isIpv6: addresses.every(({ family }) => family === 6) };
}

/** A port that is open until the one connection that it waits for is there. */
class BindPort {
  onForeign: () => void = () => {};
  readonly connection: Promise<ExitStream>;
  readonly #expected: Expected;
  #resolve: (stream: ExitStream) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly #timer: NodeJS.Timeout;
  #server: ExitServer | undefined;
  #isClosed = false;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.connection = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.connection.catch(() => {}); // it may fail before anybody waits for it
    this.#timer = setTimeout(() => this.fail(new RouteError('timed-out', 'nobody connected in time')), WAIT_MS);
    this.#timer.unref();
  }

  async open(): Promise<ExitServer> {
    const { exit, isIpv6 } = this.#expected;
    const server = await exit.listen({ host: isIpv6 ? '::' : '0.0.0.0', port: 0 }, (stream) => this.#take(stream));
    this.#server = server;
    if (this.#isClosed) server.close();
    return server;
  }

  fail(error: Error): void {
    this.close();
    this.#reject(error);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#server?.close();
  }

  #take(stream: ExitStream): void {
    const { hosts } = this.#expected;
    const isExpected = hosts.size === 0 || hosts.has(parseHost(stream.remoteAddress ?? '')?.text ?? '');
    if (isExpected && !this.#isClosed) {
      stream.on('error', () => {}); // it may end before it is joined, which then ends the other side
      this.close();
      this.#resolve(stream);
      return;
    }
    if (!isExpected) this.onForeign();
    resetStream(stream);
  }
}
