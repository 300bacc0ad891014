import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Webhook as Receiver } from 'standardwebhooks';

import { isForbidden } from '../../src/server/webhooks/post.js';
import { ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 30_000 };

/** Takes messages, and answers them with a status. */
async function receive(
  status: number,
): Promise<{ server: Server; url: string; messages: { headers: IncomingHttpHeaders; body: string }[] }> {
  const messages: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      messages.push({ headers: request.headers, body });
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, messages };
}

async function until(isDone: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isDone())) await delay(10);
}

describe('webhooks', () => {
  it(
    'tell of events, signed so that an independent receiver accepts them (Standard Webhooks)',
    TIME_LIMIT,
    async () => {
      await using lab = await ServerLab.open();
      const owner = await lab.setUp();
      const { server, url, messages } = await receive(204);
      const made = (
        await lab.call('POST', '/webhooks', { name: 'chat', url, events: ['device.added', 'device.removed'] }, owner)
      ).body;
      const { id } = (await lab.addDevice(owner, 'phone')).body;
      await lab.call('POST', `/devices/${id}/block`, {}, owner);
      await lab.call('DELETE', `/devices/${id}`, undefined, owner);
      await until(() => messages.length === 2);
      const receiver = new Receiver(made.secret);
      const bodies = messages.map(
        ({ headers, body }) => receiver.verify(body, headers as Record<string, string>) as { type: string },
      );
      assert.deepEqual(bodies.map(({ type }) => type).toSorted(), ['device.added', 'device.removed']);
      assert.ok(!JSON.stringify((await lab.call('GET', '/webhooks', undefined, owner)).body).includes(made.secret));
      server.close();
    },
  );

  it('are tried again after a failure, and follow no redirection', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { server, url, messages } = await receive(302);
    const { id } = (await lab.call('POST', '/webhooks', { name: 'chat', url }, owner)).body;
    await lab.call('POST', `/webhooks/${id}/test`, {}, owner);
    const last = async () => (await lab.call('GET', `/webhooks/${id}/deliveries`, undefined, owner)).body.deliveries[0];
    await until(async () => (await last()).attempts === 1);
    const delivery = await last();
    assert.deepEqual([delivery.event, delivery.status, messages.length], ['test', 302, 1]);
    assert.ok(delivery.dueAtUnixMs > Date.now());
    server.close();
  });

  it('never go to addresses where clouds keep their secrets', TIME_LIMIT, async () => {
    for (const address of ['169.254.169.254', 'fe80::1', '::ffff:169.254.1.1', '168.63.129.16', 'fd00:ec2::254'])
      assert.equal(isForbidden(address), true, address);
    for (const address of ['192.168.1.1', 'fd00::1', '127.0.0.1', 'name'])
      assert.equal(isForbidden(address), false, address);
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { id } = (await lab.call('POST', '/webhooks', { name: 'bad', url: 'http://169.254.169.254/latest' }, owner))
      .body;
    await lab.call('POST', `/webhooks/${id}/test`, {}, owner);
    const last = async () => (await lab.call('GET', `/webhooks/${id}/deliveries`, undefined, owner)).body.deliveries[0];
    await until(async () => (await last()).attempts === 1);
    assert.equal((await last()).error, 'ERR_FORBIDDEN_ADDRESS');
  });
});
