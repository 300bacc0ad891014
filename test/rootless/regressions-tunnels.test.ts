import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';

import { decode, encode } from 'dns-packet';

import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { openTunnel } from '../../src/rootless/open-tunnel.js';
import type { TunnelHost } from '../../src/rootless/tunnel-host.js';
import { LEFT, openPair, type PairOfHosts, RIGHT } from './pair-of-hosts.js';

describe('tunnels', { timeout: 240_000 }, () => {
  const open: TunnelHost[] = [];
  afterEach(async () => {
    for (const host of open.splice(0)) await host.close();
  });

  /** Has both hosts closed behind the test, also behind one that fails. */
  function closeAfter(pair: PairOfHosts): PairOfHosts {
    open.push(pair.left, pair.right);
    return pair;
  }

  it('send no question about a name anywhere but through themselves (row 63)', async () => {
    const { left, right } = closeAfter(await openPair(true, [RIGHT[4]]));
    const asked: string[] = [];
    const dns = right.createUdpSocket('udp4', (message, { port, address }) => {
      const query = decode(message);
      const [question] = query.questions!;
      asked.push(question!.name);
      const data = question!.type === 'AAAA' ? RIGHT[6] : RIGHT[4];
      const answers = [{ type: question!.type as 'A', name: question!.name, ttl: 1, data }];
      dns.send(encode({ type: 'response', id: query.id!, questions: query.questions!, answers }), port, address);
    });
    dns.bind(53);
    const web = http.createServer((_, response) => response.end('web'));
    right.createServer((socket) => web.emit('connection', socket)).listen(80);
    await left.ping(RIGHT[4]);
    const outside: string[] = [];
    const hook = createHook({
      init(_id, type) {
        if (/^(GETADDRINFO|GETNAMEINFO|QUERY|UDPWRAP|DNSCHANNEL)/.test(type)) outside.push(type);
      },
    });

    hook.enable();
    await left.lookup('lookup.test');
    await left.resolver.resolve4('resolve.test');
    await left.ping('ping.test');
    const socket = left.connect({ host: 'connect.test', port: 80 });
    await once(socket, 'connect');
    socket.destroy();
    const init = { dispatcher: left.dispatcher } as RequestInit;
    assert.equal(await (await fetch('http://fetch.test/', init)).text(), 'web');
    const [response] = (await once(http.get('http://agent.test/', { agent: left.agent }), 'response')) as [
      http.IncomingMessage,
    ];
    response.resume();
    const udp = left.createUdpSocket();
    udp.send('x', 9, 'udp.test');
    while (!asked.includes('udp.test')) await new Promise((resolve) => setImmediate(resolve));
    hook.disable();

    assert.deepEqual(outside, []);
    const names = ['lookup', 'resolve', 'ping', 'connect', 'fetch', 'agent', 'udp'].map((name) => `${name}.test`);
    assert.deepEqual([...new Set(asked)].sort(), names.sort());
    web.closeAllConnections();
  });

  it('without a DNS server say so, and ask nobody (row 63)', async () => {
    const { left } = closeAfter(await openPair());
    await assert.rejects(left.lookup('localhost'), { code: 'ENOTFOUND', message: /add DNS = ADDRESS/ });
  });

  for (const hasAddon of [true, false])
    it(`open and close 100 times in the middle of traffic, ${hasAddon ? 'with' : 'without'} the addon (row 64)`, async () => {
      const resources = (): number =>
        process.getActiveResourcesInfo().filter((name) => /UDP|Timeout/.test(name)).length;
      const before = resources();
      for (let i = 0; i < 100; i++) {
        const { left, right } = await openPair(hasAddon);
        const server = right.createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(80);
        const sockets = Array.from({ length: 4 }, () => left.connect({ host: RIGHT[4], port: 80 }));
        for (const socket of sockets) {
          socket.on('error', () => {}).resume();
          // More than the queues take, so that writers wait when the tunnel closes.
          for (let n = 0; n < 100; n++) socket.write(Buffer.alloc(65_536));
        }
        const pending = left.ping(RIGHT[4], { timeoutMs: 50 }).catch(() => undefined);
        if (i % 3 !== 0) await Promise.race([once(sockets[0]!, 'data'), once(sockets[0]!, 'close')]);
        const closed = sockets.map((socket) => once(socket, 'close'));

        await (i % 2 === 0 ? left : right).close();
        await (i % 2 === 0 ? right : left).close();

        await Promise.all(closed);
        await pending;
        assert.equal(server.listening, false);
        assert.equal(left.status().connections, 0);
      }
      // Handles of Node are gone a turn after they were closed.
      for (let turn = 0; resources() > before && turn < 10_000; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      assert.ok(resources() <= before, `${process.getActiveResourcesInfo()}`);
    });

  it('have many addresses, and forward several ports at once, to each of them (row 65)', async () => {
    const [a, b] = [generateKeyPair(), generateKeyPair()];
    const own = [...Array.from({ length: 10 }, (_, i) => `10.8.0.${10 + i}`), 'fd08::10', 'fd08::11'];
    const right = await openTunnel({
      privateKey: formatKey(b.privateKey),
      addresses: own.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      peers: [{ publicKey: formatKey(a.publicKey), allowedIps: ['10.8.0.1/32', 'fd08::1/128'] }],
    });
    const left = await openTunnel({
      privateKey: formatKey(a.privateKey),
      addresses: ['10.8.0.1/32', 'fd08::1/128'],
      peers: [
        {
          publicKey: formatKey(b.publicKey),
          endpoint: `127.0.0.1:${right.status().listenPort}`,
          allowedIps: ['10.8.0.0/24', 'fd08::/64'],
        },
      ],
    });
    closeAfter({ left, right });
    right.createServer((socket) => socket.end(socket.localAddress)).listen(80);
    const forwards = await Promise.all(
      own.map((address) => left.forward('127.0.0.1:0', address.includes(':') ? `[${address}]:80` : `${address}:80`)),
    );
    for (const [i, { port }] of forwards.entries())
      for (let again = 0; again < 2; again++)
        assert.equal(String(await buffer(net.connect({ port, host: '127.0.0.1' }))), own[i]);
    for (const forward of forwards) await forward.close();
  });

  it('go on to their other peers while one of them cannot be reached (row 67)', async () => {
    const [a, b, ghost] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
    const right = await openTunnel({
      privateKey: formatKey(b.privateKey),
      addresses: [`${RIGHT[4]}/32`],
      peers: [{ publicKey: formatKey(a.publicKey), allowedIps: [`${LEFT[4]}/32`] }],
    });
    const left = await openTunnel({
      privateKey: formatKey(a.privateKey),
      addresses: [`${LEFT[4]}/32`],
      peers: [
        { publicKey: formatKey(ghost.publicKey), endpoint: '127.0.0.1:9', allowedIps: ['10.99.0.0/16'] },
        {
          publicKey: formatKey(b.publicKey),
          endpoint: `127.0.0.1:${right.status().listenPort}`,
          allowedIps: [`${RIGHT[4]}/32`],
        },
      ],
    });
    closeAfter({ left, right });
    const blocked = Array.from({ length: 300 }, (_, i) =>
      left.connect({ host: `10.99.0.${1 + (i % 250)}`, port: 80 }).on('error', () => {}),
    );
    const udp = left.createUdpSocket();
    for (let i = 0; i < 3_000; i++) udp.send(Buffer.alloc(1_200), 9, '10.99.0.1');
    right.createServer((socket) => socket.pipe(socket)).listen(80);
    const data = randomBytes(2_000_000);
    const startMs = performance.now();

    const received = await buffer(left.connect({ host: RIGHT[4], port: 80 }).end(data));
    await left.ping(RIGHT[4]);

    assert.ok(data.equals(received));
    assert.ok(performance.now() - startMs < 4_000, 'a lost handshake message is repeated after 5 s');
    assert.ok(blocked.every((socket) => socket.connecting));
  });
});
