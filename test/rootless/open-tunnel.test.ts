import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

import { decode, encode } from 'dns-packet';

import { openTunnel } from '../../src/rootless/open-tunnel.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { ADDON_SETTINGS, LEFT, openPair, type PairOfHosts, RIGHT } from './pair-of-hosts.js';

for (const hasAddon of ADDON_SETTINGS)
  describe(`a host inside a program, ${hasAddon ? 'with' : 'without'} the addon`, { timeout: 60_000 }, () => {
    let pair: PairOfHosts;
    before(async () => {
      pair = await openPair(hasAddon, [RIGHT[4]]);
    });
    after(async () => {
      await pair.left.close();
      await pair.right.close();
    });

    it('answers pings over both families', async () => {
      for (const address of [RIGHT[4], RIGHT[6]]) {
        const reply = await pair.left.ping(address);
        assert.equal(reply.address, address);
        assert.ok(reply.roundTripMs >= 0);
      }
    });

    it('serves fetch by its dispatcher, and http by its agent, on connections that are used again', async () => {
      const { left, right } = pair;
      const web = http.createServer((request, response) =>
        response.end(`${request.url} ${request.socket.remoteAddress}`),
      );
      const server = right.createServer((socket) => web.emit('connection', socket)).listen(80);

      const init = { dispatcher: left.dispatcher } as RequestInit;
      assert.equal(await (await fetch(`http://${RIGHT[4]}/a`, init)).text(), `/a ${LEFT[4]}`);
      assert.equal(await (await fetch(`http://[${RIGHT[6]}]/b`, init)).text(), `/b ${LEFT[6]}`);
      const ports = new Set<number | undefined>();
      for (let i = 0; i < 3; i++) {
        const request = http.get({ host: RIGHT[4], path: '/c', agent: left.agent });
        const [response] = (await once(request, 'response')) as [http.IncomingMessage];
        ports.add((response.socket as unknown as TunnelSocket).localPort);
        assert.equal((await buffer(response)).toString(), `/c ${LEFT[4]}`);
      }
      assert.equal(ports.size, 1);
      web.closeAllConnections();
      server.close();
    });

    it('carries megabytes both ways at once, byte for byte', async () => {
      const { left, right } = pair;
      const sent = randomBytes(3_000_000);
      const server = right.createServer((socket) => socket.pipe(socket)).listen(81);
      const socket = left.connect({ host: RIGHT[4], port: 81 });

      socket.end(sent);
      const received = await buffer(socket);

      assert.equal(hash(received), hash(sent));
      assert.equal(socket.bytesRead, sent.length);
      assert.equal(socket.bytesWritten, sent.length);
      server.close();
    });

    it('keeps the reading side open after end, where half-open connections are wanted', async () => {
      const { left, right } = pair;
      const server = right.createServer({ allowHalfOpen: true }, (socket) => {
        let asked = '';
        socket.on('data', (part) => {
          asked += part;
        });
        socket.on('end', () => socket.end(`${asked} and more`));
      });
      server.listen(82);
      const socket = left.connect({ host: RIGHT[4], port: 82, allowHalfOpen: true });
      socket.end('this');
      assert.equal((await buffer(socket)).toString(), 'this and more');
      server.close();
    });

    it('fails as sockets of Node do: refused at once, reset by the other side', async () => {
      const { left, right } = pair;
      const refused = left.connect({ host: RIGHT[4], port: 83 });
      const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException & { port: number }];
      assert.deepEqual([error.code, error.syscall, error.port], ['ECONNREFUSED', 'connect', 83]);

      const server = right.createServer((socket) => socket.resetAndDestroy()).listen(84);
      const reset = left.connect({ host: RIGHT[4], port: 84 });
      const [second] = (await once(reset, 'error')) as [NodeJS.ErrnoException];
      assert.equal(second.code, 'ECONNRESET');
      server.close();
    });

    it('refuses a port that is taken, and an address that is not its own', async () => {
      const { right } = pair;
      const first = right.createServer().listen(85);
      await once(first, 'listening');
      for (const [port, host, code] of [
        [85, undefined, 'EADDRINUSE'],
        [86, '10.1.1.1', 'EADDRNOTAVAIL'],
      ] as const) {
        const [error] = (await once(right.createServer().listen({ port, host }), 'error')) as [NodeJS.ErrnoException];
        assert.equal(error.code, code);
      }
      first.close();
    });

    it('carries datagrams, also longer ones than the MTU, and reports a closed port', async () => {
      const { left, right } = pair;
      const echo = right.createUdpSocket('udp4', (message, { port, address }) => echo.send(message, port, address));
      echo.bind(53_000);
      const socket = left.createUdpSocket('udp4');
      for (const bytes of [0, 1, 1_400, 9_000, 60_000]) {
        socket.send(Buffer.alloc(bytes, 7), 53_000, RIGHT[4]);
        const [message, from] = (await once(socket, 'message')) as [Buffer, { address: string; port: number }];
        assert.deepEqual([message.length, from.address, from.port], [bytes, RIGHT[4], 53_000]);
      }
      const connected = left.createUdpSocket('udp4');
      connected.connect(53_001, RIGHT[4], () => connected.send('nobody'));
      const [error] = (await once(connected, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
      for (const item of [echo, socket, connected]) item.close();
    });

    it('looks names up inside of the tunnel, and tries IPv6 and IPv4 in turn', async () => {
      const { left, right } = pair;
      const asked: string[] = [];
      const dns = right.createUdpSocket('udp4', (message, { port, address }) => {
        const query = decode(message);
        const [question] = query.questions!;
        asked.push(`${question!.type} ${question!.name}`);
        // IPv6 leads nowhere: the connection has to come about by IPv4.
        const data = question!.type === 'AAAA' ? 'fd09::99' : RIGHT[4];
        const answers = [{ type: question!.type as 'A', name: question!.name, ttl: 1, data }];
        dns.send(encode({ type: 'response', id: query.id!, questions: query.questions!, answers }), port, address);
      });
      dns.bind(53);
      const server = right.createServer((socket) => socket.end('found')).listen(87);

      const socket = left.connect({ host: 'web.internal', port: 87 });

      assert.equal((await buffer(socket)).toString(), 'found');
      assert.deepEqual(asked.sort(), ['A web.internal', 'AAAA web.internal']);
      assert.equal(socket.autoSelectFamilyAttemptedAddresses.length, 2);
      dns.close();
      server.close();
    });

    it('carries a local port through the tunnel', async () => {
      const { left, right } = pair;
      // The end of the forward may reset a connection that is not closed on both sides yet.
      const server = right.createServer((socket) => socket.on('error', () => {}).end('far')).listen(88);
      await using forward = await left.forward('127.0.0.1:0', `${RIGHT[4]}:88`);
      const { connect } = await import('node:net');
      assert.equal((await buffer(connect(forward.port, '127.0.0.1'))).toString(), 'far');
      server.close();
    });

    it('reports its peers, and why there is no session', () => {
      const status = pair.left.status();
      assert.deepEqual(status.addresses, [LEFT[4], LEFT[6]]);
      const [peer] = status.peers;
      assert.equal(peer!.reasonCode, 'session');
      assert.ok(peer!.lastHandshake instanceof Date && peer!.receivedBytes > 0);
    });

    it('leaves no connection behind', async () => {
      const { left, right } = pair;
      const server = right.createServer((socket) => socket.end()).listen(89);
      for (let i = 0; i < 50; i++) await buffer(left.connect({ host: RIGHT[4], port: 89 }).end());
      server.close();
      // Both sides close at once and keep a record for a minute (RFC 9293 §3.6); no other is left, but those of other tests.
      assert.ok(left.status().connections + right.status().connections <= 2 * 50 + 40);
    });
  });

describe('openTunnel', () => {
  it('names what is wrong with a configuration, with the line, and never the key', async () => {
    for (const [text, pattern] of [
      ['[Interface]\nPrivateKey = nonsense\nAddress = 10.0.0.1\n', /the configuration:2/],
      ['[Interface]\nAddress = 10.0.0.1\n', /no PrivateKey/],
      [`[Interface]\nPrivateKey = ${randomBytes(32).toString('base64')}\n`, /no Address/],
    ] as const)
      await assert.rejects(openTunnel(text), (error: Error) => {
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /nonsense/);
        return true;
      });
  });

  it('ends its sockets with the signal', async () => {
    const { left, right } = await openPair();
    const abort = new AbortController();
    const socket = left.connect({ host: RIGHT[4], port: 90, signal: abort.signal });
    abort.abort();
    const [error] = (await once(socket, 'error')) as [Error];
    assert.equal(error.name, 'AbortError');
    await left.close();
    await right.close();
    assert.throws(() => left.connect({ host: RIGHT[4], port: 90 }), { code: 'ERR_CLOSED' });
  });

  it('closes with sockets and servers that were closed in the same turn', async () => {
    const { left, right } = await openPair();
    const udp = left.createUdpSocket().bind(0);
    const server = left.createServer().listen(0);
    const socket = left.connect({ host: RIGHT[4], port: 91 });
    udp.close();
    server.close();
    socket.destroy();
    await left.close();
    await right.close();
  });

  it('refuses arguments that make no sense, in a sentence', async () => {
    const { left, right } = await openPair();
    for (const call of [
      () => left.connect({ host: RIGHT[4], port: 0 }),
      () => left.connect({ host: RIGHT[4], port: 70_000 }),
      () => left.connect({ host: '', port: 80 }),
      () => left.createServer().listen({ path: '/tmp/x' }),
    ])
      assert.throws(call, { code: 'ERR_SOCKET_ARGUMENT' });
    await left.close();
    await right.close();
  });
});

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
