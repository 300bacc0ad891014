import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

import { joinStreams } from '../../src/rootless/join-streams.js';

describe('joined streams', { timeout: 30_000 }, () => {
  let server: Server;
  const accepted: Socket[] = [];
  before(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.on('error', () => {})));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  it('carry bytes and ends each way by itself, and count the bytes', async () => {
    const [a, b, traffic] = await joined();
    a.end('to b');
    assert.equal(await read(b), 'to b');
    assert.equal(a.destroyed, false);
    b.end('to a, later');
    assert.equal(await read(a), 'to a, later');
    assert.deepEqual(traffic, { first: 4, second: 11 });
  });

  it('carry a reset as a reset, each way', async () => {
    for (const first of [true, false]) {
      const [a, b] = await joined();
      const [cut, other] = first ? [a, b] : [b, a];
      const failed = once(other, 'error');
      other.resume();
      cut.resetAndDestroy();
      assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
    }
  });

  it('carry what happened before they were joined: an end, bytes that were put back, a stream that is gone', async () => {
    const [a, inner] = await pair();
    const [other, b] = await pair();
    const [chunk] = (await Promise.all([once(inner, 'data'), a.end('early')]))[0] as [Buffer];
    inner.pause();
    inner.unshift(chunk);
    joinStreams(inner, other);
    assert.equal(await text(b), 'early');
    for (const socket of [a, b]) socket.destroy();

    const [, gone] = await pair();
    const [left, right] = await pair();
    gone.destroy();
    right.resume();
    const failed = once(right, 'error');
    joinStreams(gone, left);
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, 'ECONNRESET');
  });

  /** Two ends, and what is joined between them. */
  async function joined(): Promise<[Socket, Socket, { first: number; second: number }]> {
    const [a, inner] = await pair();
    const [other, b] = await pair();
    const traffic = { first: 0, second: 0 };
    joinStreams(inner, other, {
      count: (bytes, isFromFirst) => {
        traffic[isFromFirst ? 'first' : 'second'] += bytes;
      },
    });
    return [a, b, traffic];
  }

  async function pair(): Promise<[Socket, Socket]> {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    while (!accepted.some(({ remotePort }) => remotePort === socket.localPort)) await once(server, 'connection');
    return [socket, accepted.find(({ remotePort }) => remotePort === socket.localPort)!];
  }
});

/** Reads to the end, and leaves the stream half open. */
async function read(socket: Socket): Promise<string> {
  let all = '';
  socket.on('data', (chunk) => {
    all += chunk;
  });
  await once(socket, 'end');
  return all;
}
