import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { limitRequests, WITHOUT_LOOKS } from '../../../src/server/http/request-limits.js';

const TIME_LIMIT = { timeout: 30_000 };
const LIMITS = { headersMs: 300, bodyMs: 500 };

async function withServer(test: (open: () => Socket) => Promise<void>): Promise<void> {
  const server: Server = createServer(WITHOUT_LOOKS, (request, response) => {
    if (request.url === '/stream') response.write('begin');
    else
      void text(request).then(
        (body) => response.end(`got ${body}`),
        () => {},
      );
  });
  const release = limitRequests(server, LIMITS);
  server.on('upgrade', ({ url }: IncomingMessage, stream: Duplex) => {
    if (url === '/taken') release(stream);
    stream.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await test(() => connect(port, '127.0.0.1').on('error', () => {}));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('limitRequests', () => {
  it('ends connections that bring no headers, and half of a body', TIME_LIMIT, () =>
    withServer(async (open) => {
      for (const part of [
        '',
        'GET / HT',
        'GET / HTTP/1.1\r\nHost: a\r\nX: ',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf',
      ]) {
        const socket = open();
        socket.write(part);
        await once(socket.resume(), 'close');
      }
    }),
  );

  it('leaves requests alone that come in time, one after the other, and answers that take long', TIME_LIMIT, () =>
    withServer(async (open) => {
      const socket = open();
      let got = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        got += chunk;
      });
      for (let i = 1; i <= 4; i++) {
        socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
        while (got.split('got hi').length !== i + 1) await delay(5);
        await delay(LIMITS.headersMs / 3);
      }
      socket.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n');
      while (!got.includes('begin')) await delay(5);
      await delay(2 * (LIMITS.headersMs + LIMITS.bodyMs));
      assert.equal(socket.destroyed, false);
      socket.destroy();
    }),
  );

  it('leaves a WebSocket alone that was taken, and ends one that was not', TIME_LIMIT, () =>
    withServer(async (open) => {
      const [taken, refused] = ['/taken', '/refused'].map((path) => {
        const socket = open().resume();
        socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n`);
        return socket;
      });
      await once(refused!, 'close');
      await delay(LIMITS.headersMs);
      assert.equal(taken!.destroyed, false);
      taken!.destroy();
    }),
  );
});
