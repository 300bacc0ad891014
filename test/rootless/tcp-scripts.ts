/** Scripts of TCP: each uses sockets in some way, and returns what it saw. */
import { once } from 'node:events';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';

import type { NetworkSide } from './network-side.js';
import { closed, describeError, type Trace, traceSocket } from './socket-trace.js';

export type Script = (side: NetworkSide) => Promise<unknown>;

interface Pair {
  readonly server: Server;
  readonly port: number;
  readonly client: Socket;
  readonly peer: Socket;
  readonly traces: { readonly client: Trace; readonly peer: Trace };
}

/** Connects a client to a server, and traces both. */
async function pair(
  side: NetworkSide,
  {
    client: clientOptions = {},
    server: serverOptions = {},
    reads = true,
  }: { client?: object; server?: ServerOpts; reads?: boolean } = {},
): Promise<Pair> {
  const server = side.createServer(serverOptions);
  server.listen(0, side.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = side.connect({ port, host: side.host, ...clientOptions });
  const clientTrace = traceSocket(client, { reads });
  const [peer] = await accepted;
  const peerTrace = traceSocket(peer, { reads });
  if (client.connecting) await once(client, 'connect');
  return { server, port, client, peer, traces: { client: clientTrace, peer: peerTrace } };
}

async function finish({ server, client, peer, traces }: Pair, more: object = {}): Promise<object> {
  await closed(client, peer);
  server.close();
  await once(server, 'close');
  await turn(); // callbacks of late writes
  return { ...traces, ...more };
}

export const TCP_SCRIPTS: Readonly<Record<string, Script>> = {
  'the client ends': async (side) => {
    const sockets = await pair(side);
    sockets.client.end('hello');
    return await finish(sockets);
  },
  'the server ends': async (side) => {
    const sockets = await pair(side);
    sockets.peer.end('hello');
    return await finish(sockets);
  },
  'one side stays half open': async (side) => {
    const sockets = await pair(side, { client: { allowHalfOpen: true }, server: { allowHalfOpen: true } });
    const { client, peer } = sockets;
    client.end('question');
    await once(peer, 'end');
    const states = [client.readyState, peer.readyState, peer.writable, client.readable];
    peer.write('answer');
    await once(client, 'data');
    peer.end();
    return await finish(sockets, { states });
  },
  'both end at once': async (side) => {
    const sockets = await pair(side);
    sockets.client.end('a');
    sockets.peer.end('b');
    return await finish(sockets);
  },
  'the client is destroyed': async (side) => {
    const sockets = await pair(side);
    sockets.client.destroy();
    return await finish(sockets);
  },
  'the client is destroyed with an error': async (side) => {
    const sockets = await pair(side);
    sockets.client.destroy(Object.assign(new Error('mine'), { code: 'EMINE' }));
    await closed(sockets.client);
    sockets.peer.destroy();
    await finish(sockets);
    return sockets.traces.client;
  },
  'the client resets': async (side) => {
    const sockets = await pair(side);
    sockets.client.resetAndDestroy();
    return await finish(sockets);
  },
  'the server resets after data': async (side) => {
    const sockets = await pair(side);
    sockets.peer.write('data');
    await once(sockets.client, 'data');
    sockets.peer.resetAndDestroy();
    return await finish(sockets);
  },
  'nobody listens': async (side) => {
    const server = side.createServer({}).listen(0, side.host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const client = side.connect({ port, host: side.host });
    const trace = traceSocket(client);
    let text = '';
    client.once('error', (error: NodeJS.ErrnoException & { address?: string; port?: number }) => {
      const end = `${error.address}:${error.port}`;
      text = `${error.message.replace(end, 'END')} ${end === `${side.host}:${port}`} ${error.errno}`;
    });
    await closed(client);
    return { trace, text };
  },
  'a connecting socket is destroyed': async (side) => {
    const server = side.createServer({}).listen(0, side.host);
    await once(server, 'listening');
    const client = side.connect({ port: (server.address() as AddressInfo).port, host: side.host });
    const trace = traceSocket(client);
    client.destroy();
    await closed(client);
    server.close();
    await once(server, 'close');
    return trace;
  },
  'everything is written before the connection is there': async (side) => {
    const server = side.createServer({}, (socket) => socket.pipe(socket)).listen(0, side.host);
    await once(server, 'listening');
    const client = side.createSocket();
    const trace = traceSocket(client);
    const before = [client.readyState, client.connecting, client.pending, client.writable, client.bytesWritten];
    client.connect((server.address() as AddressInfo).port, side.host);
    const during = [client.readyState, client.connecting, client.pending, client.remoteAddress];
    const results: string[] = [];
    const isFlowing = client.write('ab', (error) => results.push(`write ${describeError(error)}`));
    client.write('c', 'latin1', () => results.push('encoded'));
    client.end('d', () => results.push('end'));
    const bytes = [client.bytesWritten, client.writableLength, client.bufferSize];
    await closed(client);
    server.close();
    await once(server, 'close');
    return { trace, before, during, isFlowing, results, bytes, after: [client.bytesWritten, client.bytesRead] };
  },
  'writing goes on after the end': async (side) => {
    const sockets = await pair(side);
    const results: string[] = [];
    sockets.client.end();
    sockets.client.write('late', (error) => results.push(describeError(error)));
    await closed(sockets.client);
    return await finish(sockets, { results });
  },
  'writing goes on after destroy': async (side) => {
    const sockets = await pair(side);
    const results: string[] = [];
    sockets.client.destroy();
    const isFlowing = sockets.client.write('late', (error) => results.push(describeError(error)));
    await finish(sockets, {});
    return { results, isFlowing, trace: sockets.traces.client };
  },
  'writing goes on after the peer ended': async (side) => {
    const sockets = await pair(side);
    const results: string[] = [];
    sockets.peer.end();
    await once(sockets.client, 'end');
    sockets.client.write('late', (error) => results.push(describeError(error)));
    await finish(sockets);
    return { results, trace: sockets.traces.client };
  },
  'writing goes on after the peer reset': async (side) => {
    const sockets = await pair(side);
    sockets.peer.resetAndDestroy();
    await once(sockets.client, 'error');
    const results: string[] = [];
    sockets.client.write('late', (error) => results.push(describeError(error)));
    return await finish(sockets, { results });
  },
  'a quiet socket times out, once': async (side) => {
    const sockets = await pair(side);
    let calls = 0;
    const set = sockets.client.setTimeout(40, () => calls++);
    await once(sockets.client, 'timeout');
    await pause(150);
    const { timeout } = sockets.client;
    sockets.client.setTimeout(0);
    await pause(80);
    sockets.client.end();
    return await finish(sockets, { calls, timeout, returnsThis: set === sockets.client, off: sockets.client.timeout });
  },
  'an active socket does not time out': async (side) => {
    const sockets = await pair(side);
    sockets.client.setTimeout(400);
    for (let i = 0; i < 8; i++) {
      sockets[i % 2 === 0 ? 'client' : 'peer'].write('x');
      await pause(80);
    }
    sockets.client.end();
    return await finish(sockets);
  },
  'connect takes a timeout': async (side) => {
    const sockets = await pair(side, { client: { timeout: 50 } });
    await once(sockets.client, 'timeout');
    sockets.client.destroy();
    return await finish(sockets, { timeout: sockets.client.timeout });
  },
  'text is decoded across pieces': async (side) => {
    const sockets = await pair(side);
    sockets.client.setEncoding('utf8');
    let text = '';
    sockets.client.on('data', (part: string) => {
      text += part;
    });
    const bytes = Buffer.from('grüße €');
    for (const byte of bytes) {
      sockets.peer.write(Uint8Array.of(byte));
      await turn();
    }
    sockets.peer.end();
    return { ...(await finish(sockets)), text };
  },
  'a paused socket waits': async (side) => {
    const sockets = await pair(side);
    sockets.client.pause();
    sockets.peer.end('later');
    await pause(60);
    const before = [...sockets.traces.client];
    const paused = sockets.client.isPaused();
    sockets.client.resume();
    return await finish(sockets, { before, paused });
  },
  'the server pauses its connections': async (side) => {
    const sockets = await pair(side, { server: { pauseOnConnect: true } });
    sockets.client.end('later');
    await pause(60);
    const before = [...sockets.traces.peer];
    sockets.peer.resume();
    return await finish(sockets, { before });
  },
  'nobody reads, and the peer ends': async (side) => {
    const sockets = await pair(side, { reads: false });
    sockets.client.end();
    await pause(60);
    return await finish(sockets);
  },
  'a socket is read by hand': async (side) => {
    const sockets = await pair(side, { reads: false });
    sockets.peer.end('abcdef');
    await once(sockets.client, 'readable');
    const parts = [String(sockets.client.read(2)), String(sockets.client.read())];
    sockets.client.read();
    sockets.peer.resume();
    return await finish(sockets, { parts });
  },
  'a loop over a socket is left early': async (side) => {
    const sockets = await pair(side, { reads: false });
    sockets.peer.on('error', () => {}).resume();
    sockets.peer.write('part');
    let text = '';
    for await (const part of sockets.client) {
      text += String(part);
      break;
    }
    await closed(sockets.client);
    return { text, trace: sockets.traces.client, rest: await finish(sockets).then(() => 'closed') };
  },
  'destroySoon sends what was written': async (side) => {
    const sockets = await pair(side);
    sockets.client.write(Buffer.alloc(300_000));
    sockets.client.destroySoon();
    await finish(sockets);
    return { client: sockets.traces.client.at(-1), read: sockets.peer.bytesRead };
  },
  'an AbortSignal ends a socket': async (side) => {
    const abort = new AbortController();
    const sockets = await pair(side, { client: { signal: abort.signal } });
    abort.abort();
    return await finish(sockets);
  },
  'settings return the socket, at any time': async (side) => {
    const socket = side.createSocket();
    const returned = [
      socket.setNoDelay(),
      socket.setNoDelay(false),
      socket.setKeepAlive(true, 1_000),
      socket.setTimeout(1_000),
      socket.ref(),
      socket.unref(),
      socket.pause(),
      socket.resume(),
    ].map((value) => value === socket);
    const address = socket.address();
    socket.destroy();
    await closed(socket);
    return { returned, address, late: [socket.setNoDelay(), socket.setKeepAlive()].map((value) => value === socket) };
  },
  'ends are known while connected, and afterwards': async (side) => {
    const sockets = await pair(side);
    const { client, peer } = sockets;
    const ends = ({ localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily }: Socket) =>
      [localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily].map((value) => typeof value);
    const during = [
      ends(client),
      ends(peer),
      client.localPort === peer.remotePort,
      Object.keys(client.address()).sort(),
    ];
    client.end();
    await finish(sockets);
    return { during, after: [client.remoteFamily, typeof client.bytesRead, client.pending, client.connecting] };
  },
  'drain follows a full buffer': async (side) => {
    const sockets = await pair(side);
    const { client } = sockets;
    const isFlowing = client.write(Buffer.alloc(8_000_000));
    await once(client, 'drain');
    const left = client.writableLength;
    client.end();
    await finish(sockets);
    return { isFlowing, left, read: sockets.peer.bytesRead, written: client.bytesWritten };
  },
};
