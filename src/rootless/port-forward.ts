import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { WireGuardError } from '../core/errors.js';
import { checkPort } from './connect-options.js';
import { joinStreams } from './join-streams.js';

/** A running forward. */
export interface PortForward extends AsyncDisposable {
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on a port of this machine and carries every connection through the tunnel.
 *
 * @param from `HOST:PORT`; port 0 is any free one.
 * @param to `HOST:PORT` inside of the tunnel.
 */
export async function forwardPort(
  from: string,
  to: string,
  connect: (options: { host: string; port: number; allowHalfOpen: boolean }) => Duplex,
): Promise<PortForward> {
  const local = parseHostPort(from, 0);
  const remote = parseHostPort(to, 1);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    joinStreams(socket, connect({ ...remote, allowHalfOpen: true }));
  });
  await listening(server, local);
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: local.host, port, close, [Symbol.asyncDispose]: close };
}

async function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/** Reads `HOST:PORT` and `[IPv6]:PORT`. @throws {WireGuardError} ERR_SOCKET_ARGUMENT */
export function parseHostPort(text: string, leastPort: number): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null)
    throw new WireGuardError('ERR_SOCKET_ARGUMENT', `"${text}" is not HOST:PORT; an IPv6 address stands in brackets`);
  return { host: match[1] ?? match[2]!, port: checkPort(match[3], leastPort) };
}
