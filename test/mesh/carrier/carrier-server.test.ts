/** Carriers beyond the bound are refused, and what is refused costs nothing afterwards. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { it } from 'node:test';

import { CarrierServer } from '../../../src/mesh/carrier/carrier-server.js';
import type { CarrierSocket } from '../../../src/mesh/carrier/carrier-socket.js';

it('A carrier beyond the bound is refused, and cannot hold its connection open', { timeout: 30_000 }, async (t) => {
  const full = { connectionCount: 20_000 } as CarrierSocket;
  const carriers = new CarrierServer(full, () => false);
  const server = createServer();
  t.after(() => {
    carriers.close();
    server.close();
  });
  const upgraded = once(server, 'upgrade');
  server.on('upgrade', (request, stream, head) => carriers.upgrade(request, stream, head, '127.0.0.1'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => client.destroy());
  client.on('error', () => {}); // the other side is gone
  client.write('GET /carry HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');

  const [, stream] = (await upgraded) as [unknown, Duplex];
  const [answer] = await once(client, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 503 /);
  if (!stream.closed) await once(stream, 'close');
});
