/** Scripts of servers: each uses one in some way, and returns what it saw. */
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

import { closed, describeError, traceSocket } from './socket-trace.js';
import type { Script } from './tcp-scripts.js';

export const SERVER_SCRIPTS: Readonly<Record<string, Script>> = {
  'a server listens, and closes': async (side) => {
    const events: string[] = [];
    const server = side.createServer({});
    for (const name of ['listening', 'close', 'error']) server.on(name, () => events.push(name));
    const before = [server.listening, server.address()];
    const returned = server.listen(0, side.host, () => events.push('callback'));
    await once(server, 'listening');
    const { family, port } = server.address() as AddressInfo;
    server.close((error) => events.push(`closed ${describeError(error)}`));
    const after = [server.listening, server.address()];
    await once(server, 'close');
    return { events, before, returnsThis: returned === server, family, hasPort: port > 0, after };
  },
  'a server that does not listen is closed': async (side) => {
    const server = side.createServer({});
    const results: string[] = [];
    server.close((error) => results.push(describeError(error)));
    await once(server, 'close');
    return results;
  },
  'a server listens again after it closed': async (side) => {
    const server = side.createServer({});
    for (let i = 0; i < 2; i++) {
      server.listen(0, side.host);
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
    return server.listening;
  },
  'a server listens twice': async (side) => {
    const server = side.createServer({}).listen(0, side.host);
    await once(server, 'listening');
    let code: string | undefined;
    try {
      server.listen(0, side.host);
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code;
    }
    server.close();
    return code;
  },
  'a port is taken': async (side) => {
    const first = side.createServer({}).listen(0, side.host);
    await once(first, 'listening');
    const second = side.createServer({}).listen((first.address() as AddressInfo).port, side.host);
    const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
    first.close();
    return { error: describeError(error), listening: second.listening };
  },
  'close waits for the connections': async (side) => {
    const server = side.createServer({}).listen({ port: 0, host: side.host });
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connectTo(server, side);
    const [peer] = await accepted;
    traceSocket(peer);
    const counts = [await count(server)];
    let isClosed = false;
    server.close(() => {
      isClosed = true;
    });
    counts.push(await count(server));
    const before = isClosed;
    client.end();
    await closed(client, peer);
    if (!isClosed) await once(server, 'close');
    counts.push(await count(server));
    return { counts, before };
  },
  'more connections than allowed are dropped': async (side) => {
    const server = side.createServer({}).listen(0, side.host);
    server.maxConnections = 1;
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const first = connectTo(server, side);
    const [peer] = await accepted;
    const dropped = once(server, 'drop') as Promise<[object]>;
    const second = connectTo(server, side);
    const [info] = await dropped;
    await closed(second);
    traceSocket(peer);
    first.end();
    await closed(first, peer);
    server.close();
    return Object.keys(info).sort();
  },
  'an AbortSignal closes a server': async (side) => {
    const abort = new AbortController();
    const server = side.createServer({}).listen({ port: 0, host: side.host, signal: abort.signal });
    await once(server, 'listening');
    abort.abort();
    await once(server, 'close');
    return server.listening;
  },
  'an aborted AbortSignal closes a server at once': async (side) => {
    const server = side.createServer({}).listen({ port: 0, host: side.host, signal: AbortSignal.abort() });
    await once(server, 'close');
    return server.listening;
  },
  'asyncDispose closes a server, also one that does not listen': async (side) => {
    const server = side.createServer({});
    await server[Symbol.asyncDispose]();
    server.listen(0, side.host);
    await once(server, 'listening');
    await server[Symbol.asyncDispose]();
    return server.listening;
  },
};

function connectTo(server: Server, side: Parameters<Script>[0]): Socket {
  const socket = side.connect({ port: (server.address() as AddressInfo).port, host: side.host });
  traceSocket(socket);
  return socket;
}

async function count(server: Server): Promise<number> {
  return await new Promise((resolve, reject) =>
    server.getConnections((error, found) => (error === null ? resolve(found) : reject(error))),
  );
}
