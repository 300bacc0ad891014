/** The port of `wiretype carry` before a hub that is a WebSocket server of this process. */
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket as TcpSocket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';

import { CarriedPort, type CarriedPortOptions } from '../../../src/mesh/carrier/carried-port.js';
import { checkCarrier } from '../../../src/mesh/carrier/carrier-check.js';
import { waitFor } from '../../lab/wait.js';

const TIMEOUT = { timeout: 60_000 };
const MAX_SENDERS = 16;

describe('The port of a carrier', TIMEOUT, () => {
  it('gives each sender a connection of its own, and answers to the one that asked', async (t) => {
    const { hub, port } = await openPort(t);
    const [first, second] = [await openPeer(t, port), await openPeer(t, port)];
    first.send('from the first');
    second.send('from the second');
    await waitFor('both answers', () => first.heard.length === 1 && second.heard.length === 1);
    assert.deepEqual([first.heard, second.heard], [['re: from the first'], ['re: from the second']]);
    assert.equal(hub.clients.size, 2);
  });

  it('turns the seventeenth sender away', async (t) => {
    const refused: string[] = [];
    const { hub, carried, port } = await openPort(t, { onRefused: (sender) => void refused.push(sender) });
    for (let i = 0; i < MAX_SENDERS; i++) (await openPeer(t, port)).send('one');
    await waitFor('sixteen connections', () => hub.clients.size === MAX_SENDERS);
    (await openPeer(t, port)).send('one too many');
    await waitFor('the refusal', () => refused.length > 0);
    assert.equal(carried.senderCount, MAX_SENDERS);
  });

  it('closes the connection of a sender that is silent, and opens another one when it speaks', async (t) => {
    const { hub, carried, port } = await openPort(t, { idleMs: 50 });
    const peer = await openPeer(t, port);
    for (let answers = 1; answers <= 2; answers++) {
      await waitFor('an answer', () => {
        peer.send('one');
        return peer.heard.length >= answers;
      });
      await waitFor('its end', () => carried.senderCount === 0 && hub.clients.size === 0);
    }
  });

  it('comes back when the hub does, and keeps the newest datagrams until then', async (t) => {
    const changes: boolean[] = [];
    const { hub, port } = await openPort(t, { onChange: (_, isOpen) => void changes.push(isOpen) });
    const peer = await openPeer(t, port);
    peer.send('before');
    await waitFor('an answer', () => peer.heard.length === 1);
    for (const client of hub.clients) client.terminate();
    await waitFor('the loss', () => changes.at(-1) === false);
    for (let i = 0; i < 10; i++) peer.send(`after ${i}`);
    await waitFor('the newest answer', () => peer.heard.includes('re: after 9'));
    assert.equal(peer.heard.length, 1 + 8);
    assert.deepEqual(changes, [true, false, true]);
  });

  it('goes through the HTTP proxy that the environment names', async (t) => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client: TcpSocket) => {
      asked.push(request.url!);
      const [host, port] = request.url!.split(':');
      const server = connect(Number(port), host!, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      client.on('error', () => server.destroy()).pipe(server);
      server.on('error', () => client.destroy()).pipe(client);
    });
    const proxyPort = await listen(t, proxy);
    const { port, url } = await openPort(t, { environment: { HTTP_PROXY: `http://127.0.0.1:${proxyPort}` } });
    const peer = await openPeer(t, port);
    peer.send('by the proxy');
    await waitFor('an answer', () => peer.heard.length === 1);
    assert.deepEqual(asked, [new URL(url).host]);
  });

  it('belongs to one program alone', async (t) => {
    const { port, url } = await openPort(t);
    await assert.rejects(CarriedPort.open({ url, host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  });
});

describe('A carrier that reaches no hub', TIMEOUT, () => {
  const closed = 'ws://127.0.0.1:1/carry';

  it('says that the name was not found, or the connection refused', async () => {
    await assert.rejects(
      checkCarrier('ws://no-such-name.invalid/carry', {}),
      /the name no-such-name\.invalid was not found/,
    );
    await assert.rejects(checkCarrier(closed, {}), /127\.0\.0\.1:1\/carry: the connection was refused/);
    await assert.rejects(checkCarrier(closed, { HTTP_PROXY: 'http://me:secret@127.0.0.1:2' }), (error: Error) => {
      assert.match(error.message, /through the proxy 127\.0\.0\.1:2: the connection was refused/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('says that there is no hub, no TLS, or that a proxy wants a password', async (t) => {
    const web = createServer();
    web.on('upgrade', (_, stream) => stream.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n'));
    web.on('connect', (_, stream) => stream.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const at = `127.0.0.1:${await listen(t, web)}`;
    await assert.rejects(checkCarrier(`ws://${at}/?token=secret`, {}), {
      message: /^ws:\/\/127\.0\.0\.1:\d+\/: there is no hub/,
    });
    await assert.rejects(checkCarrier(`wss://${at}/carry`, {}), /no TLS is spoken there/);
    await assert.rejects(checkCarrier(closed, { HTTP_PROXY: `http://${at}` }), /the proxy wants a password/);
  });
});

interface Peer {
  readonly heard: string[];
  send(text: string): void;
}

async function openPort(t: TestContext, options: Partial<CarriedPortOptions> = {}) {
  const server = createServer();
  const hub = new WebSocketServer({ server });
  hub.on('connection', (socket: WebSocket) => socket.on('message', (data) => socket.send(Buffer.from(`re: ${data}`))));
  const url = `ws://127.0.0.1:${await listen(t, server)}/carry`;
  const carried = await CarriedPort.open({ host: '127.0.0.1', port: 0, url, environment: {}, ...options });
  t.after(() => {
    carried.close();
    for (const client of hub.clients) client.terminate();
    hub.close();
  });
  return { hub, carried, port: carried.port, url };
}

async function openPeer(t: TestContext, to: number): Promise<Peer> {
  const udp: Socket = createSocket('udp4');
  t.after(() => udp.close());
  const heard: string[] = [];
  udp.on('message', (datagram) => heard.push(String(datagram)));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  return { heard, send: (text) => udp.send(text, to, '127.0.0.1') };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
