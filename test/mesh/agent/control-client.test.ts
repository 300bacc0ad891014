/** The control connection of an agent, with a WebSocket server on the loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';

import { ControlClient } from '../../../src/mesh/agent/control-client.js';

const TIMEOUT = { timeout: 20_000 };

describe('The control connection', () => {
  it('is tested where the hub may have begun anew, and left alone where a session is renewed', TIMEOUT, async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    let opened = 0;
    const client = new ControlClient({
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      connect: (host, port) => connect({ host, port }),
      onOpen: () => opened++,
      onMessage: () => {},
      onClose: () => {},
    });
    t.after(() => {
      client.close();
      server.close();
    });
    const seen: string[] = [];

    client.wake();
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    socket.on('ping', () => seen.push('ping'));
    socket.on('message', (data: Buffer) => seen.push(JSON.parse(data.toString()).type));
    while (!client.isOpen) await new Promise((resolve) => setImmediate(resolve));
    client.connect();
    client.send({ type: 'leave' });
    await once(socket, 'message');
    assert.deepEqual([opened, seen], [1, ['leave']], 'a renewal neither pings nor connects');

    client.wake();
    await once(socket, 'ping');
    assert.deepEqual([opened, seen], [1, ['leave', 'ping']]);
  });
});
