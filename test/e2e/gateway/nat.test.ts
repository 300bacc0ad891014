import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { inOwnNamespace, ip } from '../../addon/own-namespace.js';
import { NatPair } from './nat-pair.js';
import { errorOf, listen } from './servers.js';

/** An address of this namespace that is not a loopback address, which no packet may carry. */
const SERVER = '203.0.113.7';
const TIME_LIMIT = { timeout: 120_000 };

it(...inOwnNamespace(import.meta.url, defineTests));

function defineTests(): void {
  ip('route add local 203.0.113.0/24 dev lo');

  describe('TCP of a device', () => {
    it('carries bytes both ways, each half until its own end (RFC 9293 §3.6)', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const up = Buffer.alloc(3_000_000, 'up');
      const down = Buffer.alloc(3_000_000, 'down');
      const { server, port } = await listen(SERVER, (socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.once('end', () => socket.end(Buffer.concat(chunks).equals(up) ? down : 'bad'));
      });
      const socket = pair.connect(SERVER, port);
      socket.end(up);
      assert.ok((await buffer(socket)).equals(down));
      server.close();
      while (pair.tcp.count > 0) await delay(5);
    });

    it('hands on what a server says first and closes with', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const { server, port } = await listen(SERVER, (socket) => socket.end('hello'));
      const socket = pair.connect(SERVER, port);
      assert.equal(String(await buffer(socket)), 'hello');
      socket.end();
      server.close();
      while (pair.tcp.count > 0) await delay(5);
    });

    it('is refused where the host is refused', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const { server, port } = await listen(SERVER, () => {});
      server.close();
      assert.equal(await errorOf(pair.connect(SERVER, port)), 'ECONNREFUSED');
      assert.equal(pair.counters.tcpRefused, 1);
    });

    it('learns at once that no route leads there (RFC 792, code 0)', TIME_LIMIT, async () => {
      using pair = new NatPair();
      assert.equal(await errorOf(pair.connect('192.0.2.1', 80)), 'EHOSTUNREACH');
    });

    it('is reset in both directions', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const accepted: Socket[] = [];
      const { server, port } = await listen(SERVER, (socket) => accepted.push(socket));
      const first = pair.connect(SERVER, port);
      await once(first, 'connect');
      while (accepted.length < 1) await delay(5);
      accepted[0]!.resetAndDestroy();
      assert.equal(await errorOf(first), 'ECONNRESET');
      const second = pair.connect(SERVER, port);
      await once(second, 'connect');
      while (accepted.length < 2) await delay(5);
      const failed = errorOf(accepted[1]!);
      second.resetAndDestroy();
      assert.equal(await failed, 'ECONNRESET');
      server.close();
    });

    it('is denied by policy with a record of it', TIME_LIMIT, async () => {
      using pair = new NatPair();
      pair.decision = { isAllowed: false, reason: 'rule', rule: 'r1' };
      const code = await errorOf(pair.connect(SERVER, 80));
      assert.ok(code === 'EHOSTUNREACH' || code === 'EACCES', code);
      assert.deepEqual(
        pair.denials.list().map(({ flow, count }) => [flow.destination, flow.port, count]),
        [[SERVER, 80, 1]],
      );
    });

    it('gives up the flow that was idle longest where the device has too many', TIME_LIMIT, async () => {
      using pair = new NatPair({ perDevice: 2, inAll: 10, dialsPerDevice: 10 });
      const { server, port } = await listen(SERVER, (socket) => socket.on('error', () => {}));
      const first = pair.connect(SERVER, port);
      const failed = errorOf(first);
      await once(first, 'connect');
      for (let i = 0; i < 2; i++) {
        await delay(20);
        await once(
          pair.connect(SERVER, port).on('error', () => {}),
          'connect',
        );
      }
      assert.equal(await failed, 'ECONNRESET');
      assert.deepEqual([pair.counters.tcpEvicted, pair.tcp.count], [1, 2]);
      server.close();
    });
  });

  describe('UDP of a device', () => {
    it('to a closed port is answered by port unreachable (RFC 1122 §3.2.2.1)', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const gone = createSocket('udp4').bind(0, SERVER);
      await once(gone, 'listening');
      const { port } = gone.address();
      gone.close();
      const device = pair.udpSocket();
      device.connect(port, SERVER);
      await once(device, 'connect');
      const failed = once(device, 'error') as Promise<[NodeJS.ErrnoException]>;
      device.send('anybody there?');
      assert.equal((await failed)[0].code, 'ECONNREFUSED');
      assert.equal(pair.udp.count, 1, 'the mapping stays');
      device.close();
    });

    it('has one mapping for all targets, and lets in only those (RFC 4787 REQ-1, REQ-8)', TIME_LIMIT, async () => {
      using pair = new NatPair();
      const [server, stranger] = [createSocket('udp4'), createSocket('udp4')];
      await Promise.all(
        [server.bind(0, SERVER), stranger.bind(0, '203.0.113.8')].map((socket) => once(socket, 'listening')),
      );
      const device = pair.udpSocket();
      device.send('one', server.address().port, SERVER);
      const [, from] = (await once(server, 'message')) as [Buffer, { port: number }];
      // The first answer ends the first contact, during which the host itself lets in nobody else.
      server.send('hello', from.port, SERVER);
      await once(device, 'message');
      device.send('two', server.address().port, SERVER);
      const [, again] = (await once(server, 'message')) as [Buffer, { port: number }];
      assert.equal(again.port, from.port);
      stranger.send('no', from.port, SERVER);
      while (pair.counters.udpFiltered === 0) await delay(5);
      const answer = once(device, 'message');
      server.send(Buffer.alloc(4_000, 'x'), from.port, SERVER);
      assert.equal(((await answer) as [Buffer])[0].length, 4_000);
      pair.udp.expire(Number.MAX_SAFE_INTEGER);
      assert.equal(pair.udp.count, 0);
      for (const socket of [device, server, stranger]) socket.close();
    });
  });
}
