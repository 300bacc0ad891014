import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';

import type { TunnelHost } from '../../src/rootless/tunnel-host.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { openPair, RIGHT } from './pair-of-hosts.js';

describe('closing a host', { timeout: 30_000 }, () => {
  it('ends every socket, those that its servers took included, and tells the other side by RST', async () => {
    const { left, right } = await openPair();
    const server = right.createServer().listen(90);
    const accepted: TunnelSocket[] = [];
    server.on('connection', (socket: TunnelSocket) => accepted.push(socket));
    const clients = [left.connect({ host: RIGHT[4], port: 90 }), left.connect({ host: RIGHT[6], port: 90 })];
    await Promise.all(clients.map((client) => once(client, 'connect')));
    while (accepted.length < clients.length) await once(server, 'connection');
    const resets = clients.map((client) => once(client, 'error') as Promise<[NodeJS.ErrnoException]>);
    const closes = accepted.map((socket) => once(socket, 'close'));

    await right.close();

    await Promise.all(closes);
    for (const [error] of await Promise.all(resets)) assert.equal(error.code, 'ECONNRESET');
    await left.close();
  });

  it('resets connections that it began, too, unless they were ended', async () => {
    const { left, right } = await openPair();
    const server = right.createServer().listen(90);
    const accepted: TunnelSocket[] = [];
    server.on('connection', (socket: TunnelSocket) => accepted.push(socket.resume()));
    const [open, ended] = [await connected(left), await connected(left)];
    while (accepted.length < 2) await once(server, 'connection');
    const ports = [open.localPort, ended.localPort];
    const [toOpen, toEnded] = ports.map((port) => accepted.find(({ remotePort }) => remotePort === port)!);
    const reset = once(toOpen!, 'error') as Promise<[NodeJS.ErrnoException]>;
    const end = once(toEnded!, 'end');
    ended.end('the last words');

    await left.close();

    assert.equal((await reset)[0].code, 'ECONNRESET');
    await end;
    await right.close();
  });
});

async function connected(host: TunnelHost): Promise<TunnelSocket> {
  const socket = host.connect({ host: RIGHT[4], port: 90 });
  await once(socket, 'connect');
  return socket;
}
