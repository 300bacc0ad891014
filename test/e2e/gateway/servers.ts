/** Servers beyond a gateway, and the errors of sockets. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Listens on any port of an address. */
export async function listen(
  host: string,
  onConnection: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, host).unref();
  await once(server, 'listening');
  return { server, port: (server.address() as { port: number }).port };
}

/** The code of the error that a socket ends with. */
export async function errorOf(socket: NodeJS.EventEmitter): Promise<string | undefined> {
  const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException];
  return error.code;
}
