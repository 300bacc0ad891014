/** TCP connections of the load programs: by the library, by the system, or by a SOCKS5 proxy. */
import { once } from 'node:events';
import { connect as connectSystem, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { openTunnel } from '../../src/rootless/open-tunnel.js';

/** Opens one more connection to the same port of the same host. */
export type Connect = () => Promise<Duplex>;

/** @param way `library:FILE`, `system` or `socks:PORT`. */
export async function connectBy(way: string, host: string, port: number): Promise<Connect> {
  const [kind, detail = ''] = way.split(/:(.*)/s);
  switch (kind) {
    case 'library': {
      const tunnel = await openTunnel(detail);
      return async () => await connected(tunnel.connect({ host, port }));
    }
    case 'system':
      return async () => await connected(connectSystem({ host, port }));
    case 'socks':
      return async () => await connectSocks(Number(detail), host, port);
    default:
      throw new TypeError(`there is no way ${way}`);
  }
}

async function connected<S extends Duplex>(socket: S): Promise<S> {
  await once(socket, 'connect');
  return socket;
}

/** RFC 1928 §3, §4: no authentication, CONNECT to an IPv4 address. */
async function connectSocks(proxyPort: number, host: string, port: number): Promise<Socket> {
  const socket = await connected(connectSystem({ host: '127.0.0.1', port: proxyPort }));
  socket.write(Uint8Array.of(5, 1, 0));
  await readExactly(socket, 2);
  socket.write(Uint8Array.of(5, 1, 0, 1, ...host.split('.').map(Number), port >> 8, port & 255));
  const answer = await readExactly(socket, 10);
  if (answer[1] !== 0) throw new Error(`the proxy refused with ${answer[1]}`);
  return socket;
}

async function readExactly(socket: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const read = socket.read(bytes) as Buffer | null;
    if (read !== null) return read;
    if (socket.readableEnded) throw new Error('the proxy hung up');
    await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
  }
}
