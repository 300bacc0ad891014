/** Scripts of UDP: each uses sockets in some way, and returns what it saw. */
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

import type { NetworkSide } from './network-side.js';
import { describeError } from './socket-trace.js';
import type { Script } from './tcp-scripts.js';

async function bound(side: NetworkSide): Promise<{ server: Socket; port: number }> {
  const server = side.createUdpSocket(true);
  server.bind(0, side.host);
  await once(server, 'listening');
  return { server, port: server.address().port };
}

/** Calls something that should throw. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Has a socket send in every form; the server gets them in order, since each waits for the one before. */
async function received(server: Socket, calls: readonly (() => void)[]): Promise<string[]> {
  const messages: string[] = [];
  for (const call of calls) {
    const next = once(server, 'message') as Promise<[Buffer, RemoteInfo]>;
    call();
    const [message, { size, family }] = await next;
    messages.push(`${message} ${size} ${family}`);
  }
  return messages;
}

export const UDP_SCRIPTS: Readonly<Record<string, Script>> = {
  'every form of send': async (side) => {
    const { server, port } = await bound(side);
    const client = side.createUdpSocket(false);
    const results: string[] = [];
    const done = (error: Error | null, bytes: number): void => void results.push(`${describeError(error)} ${bytes}`);
    const { host } = side;
    const messages = await received(server, [
      () => client.send('text', port, host),
      () => client.send('text', port, host, done),
      () => client.send(Buffer.from('bytes'), port, host, done),
      () => client.send(Buffer.from('xbytesx'), 1, 5, port, host, done),
      () => client.send(['a', Buffer.from('b'), new Uint8Array([99])], port, host, done),
      () => client.send('', port, host, done),
      () => client.send(new DataView(Uint8Array.of(100, 101).buffer), port, host, done),
      () => client.send('€€', 3, 3, port, host, done),
    ]);
    client.close();
    server.close();
    return { messages, results };
  },
  'a connected socket': async (side) => {
    const { server, port } = await bound(side);
    const client = side.createUdpSocket(false);
    const events: string[] = [];
    for (const name of ['listening', 'connect', 'close', 'error']) client.on(name, () => events.push(name));
    const early = codeOf(() => client.remoteAddress());
    client.connect(port, side.host, () => events.push('callback'));
    const twiceEarly = codeOf(() => client.connect(port, side.host));
    await once(client, 'connect');
    const messages = await received(server, [
      () => client.send('text'),
      () => client.send(Buffer.from('bytes'), () => events.push('sent')),
      () => client.send(Buffer.from('xbytesx'), 1, 5),
    ]);
    const codes = [
      codeOf(() => client.connect(port, side.host)),
      codeOf(() => client.send('to', port, side.host)),
      Object.keys(client.remoteAddress()).sort().join(),
    ];
    client.disconnect();
    codes.push(codeOf(() => client.disconnect())!, codeOf(() => client.remoteAddress())!);
    client.close();
    await once(client, 'close');
    server.close();
    return { early, twiceEarly, events, messages, codes };
  },
  'nobody takes a datagram': async (side) => {
    const { server, port } = await bound(side);
    server.close();
    await once(server, 'close');
    const client = side.createUdpSocket(false);
    client.connect(port, side.host, () => client.send('nobody'));
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    client.close();
    return describeError(error);
  },
  binding: async (side) => {
    const socket = side.createUdpSocket(true);
    const events: string[] = [];
    socket.on('listening', () => events.push('listening'));
    const returned = socket.bind(0, side.host, () => events.push('callback')) === socket;
    const twiceEarly = codeOf(() => socket.bind(0));
    await once(socket, 'listening');
    const { address, family, port } = socket.address();
    const twice = codeOf(() => socket.bind(0));
    const other = side.createUdpSocket(true);
    other.bind({ port, address: side.host });
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
    other.close();
    socket.close();
    return { returned, events, twiceEarly, twice, isHost: address === side.host, family, error: describeError(error) };
  },
  'a closed socket': async (side) => {
    const socket = side.createUdpSocket(false);
    const returned = socket.close(() => {}) === socket;
    await once(socket, 'close');
    const codes = [
      codeOf(() => socket.close()),
      codeOf(() => socket.send('x', 1, side.host)),
      codeOf(() => socket.address()),
      codeOf(() => socket.bind(0)),
      codeOf(() => socket.connect(1, side.host)),
      codeOf(() => socket.getSendQueueSize()),
    ];
    await socket[Symbol.asyncDispose]();
    return { returned, codes };
  },
  // The codes differ on purpose: ours is ERR_SOCKET_ARGUMENT, with advice.
  'arguments that make no sense': async (side) => {
    const socket = side.createUdpSocket(false);
    const { host } = side;
    const throws = [
      () => socket.send('x', 0, host),
      () => socket.send('x', 70_000, host),
      () => socket.send(5 as unknown as string, 1, host),
      () => socket.send(Buffer.alloc(3), 2, 5, 1, host),
      () => socket.send([5] as unknown as string[], 1, host),
      () => socket.connect(0, host),
    ].map((call) => codeOf(call) !== undefined);
    const code = codeOf(() => socket.address());
    socket.close();
    return { throws, code };
  },
  'a datagram that is too long': async (side) => {
    const socket = side.createUdpSocket(false);
    const error = await new Promise<Error | null>((resolve) =>
      socket.send(Buffer.alloc(70_000), 9, side.host, resolve),
    );
    socket.close();
    return describeError(error);
  },
  'a socket is closed while its datagram waits': async (side) => {
    const socket = side.createUdpSocket(false);
    socket.send('x', 9, side.host, () => socket.close());
    await once(socket, 'close');
    return 'closed';
  },
  settings: async (side) => {
    const { server } = await bound(side);
    const values = [
      server.setTTL(64),
      typeof server.getRecvBufferSize(),
      server.setRecvBufferSize(9_000),
      server.getSendQueueSize(),
      server.getSendQueueCount(),
      server.ref() === server,
      server.unref() === server,
    ];
    server.close();
    return values;
  },
};
