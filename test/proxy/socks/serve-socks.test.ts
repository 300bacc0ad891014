import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';

import { decode, encode } from 'dns-packet';
import fc from 'fast-check';

import { LEFT, RIGHT } from '../../rootless/pair-of-hosts.js';
import { eventually, ProxyFixture, RawClient } from '../proxy-fixture.js';

const GREETING = [5, 1, 0];

describe('SOCKS through a tunnel', { timeout: 60_000 }, () => {
  let fixture: ProxyFixture;
  before(async () => {
    fixture = await ProxyFixture.open();
  });
  after(() => fixture.close());

  it('connects to addresses and names inside of the tunnel, which are looked up there and nowhere else', async () => {
    const { port } = await fixture.start();
    const echo = await fixture.serveInside((socket) => socket.pipe(socket));
    for (const host of [RIGHT[4], RIGHT[6], 'web.internal']) {
      const client = new RawClient(port).send([...GREETING, ...request(1, host, echo)]);
      const reply = await client.take(2 + (host === RIGHT[6] ? 22 : 10));
      assert.deepEqual([...reply.subarray(0, 4)], [5, 0, 5, 0]);
      client.send('to and fro').socket.end();
      assert.equal((await client.rest()).toString(), 'to and fro');
    }
    assert.deepEqual(fixture.direct.asked, []);
    assert.ok(fixture.asked.includes('web.internal'));
  });

  it('reports its own address in the tunnel as BND.ADDR', async () => {
    const { port } = await fixture.start();
    const inside = await fixture.serveInside((socket) => socket.resume());
    const client = new RawClient(port).send([...GREETING, ...request(1, RIGHT[4], inside)]);
    const reply = await client.take(12);
    assert.equal([...reply.subarray(6, 10)].join('.'), LEFT[4]);
    client.socket.destroy();
  });

  it('replies with the code for what went wrong (RFC 1928 §6), and closes', async () => {
    const { port, counters } = await fixture.start({}, ['blocked.test block', '203.0.113.0/24 direct']);
    for (const [host, code] of [
      [RIGHT[4], 5],
      ['blocked.test', 2],
      ['missing.internal', 4],
      ['bad name', 1],
    ] as const) {
      const client = new RawClient(port).send([...GREETING, ...request(1, host, 9)]);
      const reply = await client.rest();
      assert.deepEqual([...reply.subarray(2, 4)], [5, code], host);
      client.socket.destroy();
    }
    const { refused, blocked } = counters.refused;
    assert.deepEqual(
      [refused, blocked, counters.refused['name-not-found'], counters.refused['invalid-host']],
      [1, 1, 1, 1],
    );
  });

  it('keeps bytes that the client sends before the reply, and a half-close', async () => {
    const { port, counters } = await fixture.start();
    const inside = await fixture.serveInside((socket) => socket.pipe(socket));
    const client = new RawClient(port).send([...GREETING, ...request(1, RIGHT[4], inside), ...Buffer.from('early')]);
    client.socket.end();
    assert.equal((await client.rest()).subarray(12).toString(), 'early');
    assert.equal(counters.sentBytes, 5);
    assert.equal(counters.receivedBytes, 5);
    assert.equal(counters.requests.socks5, 1);
  });

  it('serves version 4a', async () => {
    const { port } = await fixture.start();
    const inside = await fixture.serveInside((socket) => socket.end('four'));
    const head = [4, 1, inside >> 8, inside & 255, 0, 0, 0, 1, 0, ...Buffer.from('web.internal'), 0];
    const client = new RawClient(port).send(head);
    assert.deepEqual([...(await client.take(8))], [0, 0x5a, 0, 0, 0, 0, 0, 0]);
    assert.equal((await client.rest()).toString(), 'four');
    client.socket.destroy();
  });

  it('refuses a client without the password', async () => {
    const { port, counters } = await fixture.start({ credentials: { username: 'ann', password: 'secret' } });
    const client = new RawClient(port).send(GREETING);
    assert.deepEqual([...(await client.rest())], [5, 0xff]);
    assert.equal(counters.refused.credentials, 1);
    client.socket.destroy();
  });

  it('opens a port for BIND, and joins the one connection from the announced host (RFC 1928 §6)', async () => {
    const { port, counters } = await fixture.start();
    const client = new RawClient(port).send([...GREETING, ...request(2, RIGHT[4], 1)]);
    const first = await client.take(12);
    assert.deepEqual([...first.subarray(2, 4)], [5, 0]);
    assert.equal([...first.subarray(6, 10)].join('.'), LEFT[4]);
    const bound = first.readUInt16BE(10);

    const peer = fixture.pair.right.connect({ host: LEFT[4], port: bound });
    await once(peer, 'connect');
    const second = await client.take(10);
    assert.deepEqual([second[1], [...second.subarray(4, 8)].join('.')], [0, RIGHT[4]]);
    peer.end('called back');
    assert.equal((await client.rest()).toString(), 'called back');
    assert.equal(counters.foreignBinds, 0);
    client.socket.destroy();

    const late = fixture.pair.right.connect({ host: LEFT[4], port: bound });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('resets a connection to a port of BIND from another host, and goes on waiting', async () => {
    const { port, counters } = await fixture.start();
    const client = new RawClient(port).send([...GREETING, ...request(2, '10.9.0.77', 1)]);
    const bound = (await client.take(12)).readUInt16BE(10);
    const stranger = fixture.pair.right.connect({ host: LEFT[4], port: bound });
    const [error] = (await once(stranger, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    assert.equal(counters.foreignBinds, 1);
    assert.equal(client.isEnded, false);
    client.socket.destroy();
    await eventually(() => counters.active === 0);
    const late = fixture.pair.right.connect({ host: LEFT[4], port: bound });
    assert.equal(((await once(late, 'error')) as [NodeJS.ErrnoException])[0].code, 'ECONNREFUSED');
  });

  it('carries DNS over UDP ASSOCIATE, and ends it with the TCP connection (RFC 1928 §7)', async () => {
    const { port, counters } = await fixture.start();
    const client = new RawClient(port).send([...GREETING, ...request(3, '0.0.0.0', 0)]);
    const reply = await client.take(12);
    assert.deepEqual([...reply.subarray(2, 4), [...reply.subarray(6, 10)].join('.')], [5, 0, '127.0.0.1']);
    const relay = reply.readUInt16BE(10);

    const socket = createSocket('udp4');
    const query = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'web.internal' }] });
    socket.send(Buffer.concat([Buffer.from([0, 0, 0, 1, 10, 9, 0, 2, 0, 53]), query]), relay, '127.0.0.1');
    const [message] = (await once(socket, 'message')) as [Buffer];
    assert.deepEqual([...message.subarray(0, 10)], [0, 0, 0, 1, 10, 9, 0, 2, 0, 53]);
    const answer = decode(message.subarray(10));
    assert.deepEqual([answer.id, (answer.answers![0] as { data: string }).data], [7, RIGHT[4]]);

    const foreign = createSocket('udp4');
    foreign.send(Buffer.from([0, 0, 0, 1, 10, 9, 0, 2, 0, 53, 1]), relay, '127.0.0.1');
    await eventually(() => counters.datagrams.dropped.foreign === 1);
    assert.equal(counters.datagrams.flows, 1);
    client.socket.destroy();
    await eventually(() => counters.datagrams.flows === 0 && counters.active === 0);
    socket.close();
    foreign.close();
  });

  it('serves only the port that the client announced for its datagrams', async () => {
    const { port, counters } = await fixture.start();
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const client = new RawClient(port).send([...GREETING, ...request(3, '127.0.0.1', socket.address().port)]);
    const relay = (await client.take(12)).readUInt16BE(10);
    const foreign = createSocket('udp4');
    const query = encode({ type: 'query', id: 8, questions: [{ type: 'A', name: 'web.internal' }] });
    const datagram = Buffer.concat([Buffer.from([0, 0, 0, 1, 10, 9, 0, 2, 0, 53]), query]);
    foreign.send(datagram, relay, '127.0.0.1');
    await eventually(() => counters.datagrams.dropped.foreign === 1);
    socket.send(datagram, relay, '127.0.0.1');
    await once(socket, 'message');
    client.socket.destroy();
    socket.close();
    foreign.close();
  });

  it('gives up on a connection when the client is gone, and on a client that ends too early', async () => {
    const { port, counters } = await fixture.start();
    const client = new RawClient(port).send([...GREETING, ...request(1, '10.9.0.99', 9)]);
    await client.take(2);
    await eventually(() => counters.requests.socks5 === 1);
    client.socket.resetAndDestroy();
    await eventually(() => counters.active === 0);

    const short = new RawClient(port).send([5]);
    short.socket.end();
    await short.closed();
    assert.equal(counters.refused.malformed, 1);
  });

  it('survives arbitrary bytes: every connection is answered or closed', async () => {
    const { port, counters } = await fixture.start({ protocol: 'socks5' });
    const start = fc.constantFrom<number[]>(
      [],
      GREETING,
      [...GREETING, 5, 1, 0, 3],
      [4, 1, 0, 1],
      [...GREETING, 5, 3, 0, 1],
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 40 }), async (begin, rest) => {
        const client = new RawClient(port).send([...begin, ...rest]);
        client.socket.end();
        await client.rest();
        client.socket.destroy();
      }),
      { numRuns: 60 },
    );
    await eventually(() => counters.active === 0);
  });
});

function request(command: number, host: string, port: number): number[] {
  const end = [port >> 8, port & 255];
  if (/^[0-9.]+$/.test(host)) return [5, command, 0, 1, ...host.split('.').map(Number), ...end];
  if (host === RIGHT[6]) return [5, command, 0, 4, 0xfd, 9, ...new Array(13).fill(0), 2, ...end];
  return [5, command, 0, 3, host.length, ...Buffer.from(host), ...end];
}
