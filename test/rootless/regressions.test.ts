import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it, mock } from 'node:test';

import { decode, encode, type Packet, TRUNCATED_RESPONSE } from 'dns-packet';

import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { openTunnel } from '../../src/rootless/open-tunnel.js';
import { ping } from '../../src/rootless/ping.js';
import { forwardPort, joinStreams } from '../../src/rootless/port-forward.js';
import { type RecordType as AskedType, TunnelResolver } from '../../src/rootless/tunnel-resolver.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { LEFT, openPair, RIGHT } from './pair-of-hosts.js';
import { type VirtualHost, VirtualNet } from './virtual-net.js';

const A = '10.0.0.1';
const B = '10.0.0.2';
const RST = 4;
const TEN_MINUTES_MS = 600_000;

/** A net of two hosts, a client and a server. */
function twoHosts() {
  const virtual = new VirtualNet();
  const [client, server] = virtual.pair([A, 'fd00::1'], [B, 'fd00::2']);
  return { virtual, client, server };
}

/** Connects once, and hands out both ends. */
async function connected(options: { allowHalfOpen?: boolean } = {}) {
  const { virtual, client, server } = twoHosts();
  const accepted = new Promise<TunnelSocket>((resolve) => server.listen(80, resolve, options));
  const near = client.connect(B, 80, options);
  const far = await accepted;
  await virtual.settle();
  return { virtual, client, server, near, far };
}

function countResets(host: VirtualHost): () => number {
  let resets = 0;
  host.filter = (packet) => {
    if (packet[9] === 6 && (packet[33]! & RST) !== 0) resets++;
    return true;
  };
  return () => resets;
}

async function codeOf(socket: TunnelSocket): Promise<string | undefined> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code;
}

describe('a socket that is closed', () => {
  it('at once after its last write delivers all of it (row 2)', async () => {
    for (const way of ['end', 'destroySoon'] as const) {
      const { virtual, near, far } = await connected();
      const data = randomBytes(1_000_000);
      near.write(data);
      if (way === 'end') near.end();
      else near.destroySoon();
      const received = buffer(far);
      await virtual.advance(1_000);
      assert.ok(data.equals(await received), way);
    }
  });

  it('with bytes that nobody read ends by RST, whichever layer holds them: the stack, or its own buffer (row 5)', async () => {
    for (const layer of ['buffer', 'stack', 'none'] as const) {
      const { virtual, client, near, far } = await connected();
      const resets = countResets(client);
      if (layer === 'none') near.resume();
      else if (layer === 'buffer') near.read(0);
      const ended = codeOf(far).catch(() => undefined);
      far.write(Buffer.alloc(layer === 'stack' ? 200_000 : 1_000));
      await virtual.advance(1_000);
      if (layer === 'buffer') assert.equal(near.readableLength, 1_000);

      near.destroy();
      await virtual.advance(1_000);

      assert.equal(resets(), layer === 'none' ? 0 : 1, layer);
      if (layer !== 'none') assert.equal(await ended, 'ECONNRESET');
      assert.equal(client.loop.stack.pool.usedBytes, 0);
    }
  });

  it('while it connects leaves no connection at either side (row 8)', async () => {
    for (const turns of [0, 1, 2, 3]) {
      const { virtual, client, server } = twoHosts();
      server.listen(80, (socket) => socket.on('error', () => {}).resume());
      const socket = client.connect(B, 80).on('error', () => {});
      for (let i = 0; i < turns; i++) await Promise.resolve();
      socket.destroy();
      await virtual.advance(61_000);
      assert.deepEqual([client.loop.stack.tcp.flowCount, server.loop.stack.tcp.flowCount], [0, 0], `${turns} turns`);
    }
  });
});

describe('a datagram', () => {
  it('arrives exactly once by every way to send it, and is answered by the same way (rows 46, 59)', async () => {
    const { virtual, client, server } = twoHosts();
    for (const [type, host] of [
      ['udp4', B],
      ['udp6', 'fd00::2'],
    ] as const) {
      const echo = server
        .udp(type)
        .on('message', (message: Buffer, { port, address }) => echo.send(message, port, address));
      echo.bind(53);
      const plain = client.udp(type);
      const bound = client.udp(type).bind(5_000);
      const joined = client.udp(type);
      await new Promise<void>((resolve) => joined.connect(53, host, resolve));
      const seen: string[] = [];
      for (const socket of [plain, bound, joined])
        socket.on('message', (message: Buffer) => seen.push(String(message)));
      const before = client.packets + server.packets;

      plain.send('a', 53, host);
      plain.send(Buffer.from('xbx'), 1, 1, 53, host);
      plain.send(['c', Buffer.from('c')], 53, host);
      bound.send('d', 53, host, () => {});
      joined.send('e');
      joined.send(Buffer.from('xfx'), 1, 1);
      joined.send(Buffer.from('g'), () => {});
      await virtual.settle();

      assert.deepEqual(seen.sort(), ['a', 'b', 'cc', 'd', 'e', 'f', 'g'], type);
      assert.equal(client.packets + server.packets - before, 14, 'each left once and came back once');
      for (const socket of [echo, plain, bound, joined]) socket.close();
    }
  });

  it('from port 0 reaches no program, and sending to port 0 fails where it is called (row 68)', () => {
    const { client } = twoHosts();
    const socket = client.udp();
    for (const call of [() => socket.send('x', 0, B), () => socket.send('x', 70_000, B), () => socket.connect(0, B)])
      assert.throws(call, { code: 'ERR_SOCKET_ARGUMENT' });
    socket.close();
  });
});

describe('pings', () => {
  it('of a thousand, half of them unanswered, end one by one and leave nothing behind (row 47)', async () => {
    const { virtual, client } = twoHosts();
    let number = 0;
    client.filter = () => number++ % 2 === 0;
    const pings = Promise.allSettled(Array.from({ length: 1_000 }, () => ping(client, B, { timeoutMs: 2_000 })));
    await virtual.settle();
    assert.equal(client.loop.openEchoes, 500);

    const ends = await pings;

    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 500);
    const failed = ends
      .filter((end) => end.status === 'rejected')
      .map(({ reason }) => (reason as NodeJS.ErrnoException).code);
    assert.deepEqual([...new Set(failed)], ['ETIMEDOUT']);
    assert.equal(client.loop.openEchoes, 0);
  });

  it('of one program never share an identifier, so that none takes the reply of another (row 73)', () => {
    const { client } = twoHosts();
    const { loop } = client;
    const given = new Set(Array.from({ length: 65_536 }, () => loop.openEcho(() => {})));
    assert.equal(given.size, 65_536);
    assert.equal(
      loop.openEcho(() => {}),
      undefined,
    );
    loop.closeEcho(77);
    assert.equal(
      loop.openEcho(() => {}),
      77,
    );
  });
});

/** A client and a server, and between them a program that joins two connections as `forward` does. */
async function joined() {
  const virtual = new VirtualNet();
  const [client, inner] = virtual.pair(['10.0.0.1'], ['10.0.0.2']);
  const [outer, server] = virtual.pair(['10.1.0.1'], ['10.1.0.2']);
  inner.listen(80, (socket) => joinStreams(socket, outer.connect('10.1.0.2', 80, { allowHalfOpen: true })), {
    allowHalfOpen: true,
  });
  const accepted = new Promise<TunnelSocket>((resolve) => server.listen(80, resolve, { allowHalfOpen: true }));
  const near = client.connect('10.0.0.2', 80, { allowHalfOpen: true });
  const far = await accepted;
  await virtual.settle();
  return { virtual, near, far, hosts: [client, inner, outer, server] };
}

describe('two connections that are joined', () => {
  it('are half closed one way and carry data the other way ten minutes later (row 52)', async () => {
    for (const isClientFirst of [true, false]) {
      const { virtual, near, far, hosts } = await joined();
      const [first, second] = isClientFirst ? [near, far] : [far, near];
      const received = buffer(first);
      let heard = '';
      second.on('data', (part) => {
        heard += part;
      });
      first.end('the question');
      await virtual.advance(TEN_MINUTES_MS);
      assert.deepEqual([heard, second.readableEnded], ['the question', true]);
      assert.equal(second.writable, true);

      const answer = randomBytes(300_000);
      second.end(answer);
      await virtual.advance(10_000);

      assert.ok(answer.equals(await received));
      await virtual.advance(61_000);
      for (const { loop } of hosts) assert.equal(loop.stack.tcp.flowCount, 0);
    }
  });

  it('carry each end over: FIN as FIN, RST as RST, and leave nothing behind (row 53)', async () => {
    for (const way of ['client ends', 'server ends', 'client resets', 'server resets'] as const) {
      const { virtual, near, far, hosts } = await joined();
      const [first, second] = way.startsWith('client') ? [near, far] : [far, near];
      let end = '';
      second.on('end', () => {
        end ||= 'end';
        second.end();
      });
      second.on('error', (error: NodeJS.ErrnoException) => {
        end ||= error.code!;
      });
      second.resume();
      first.on('error', () => {}).resume();
      if (way.endsWith('ends')) first.end();
      else first.resetAndDestroy();
      await virtual.advance(61_000);

      assert.equal(end, way.endsWith('ends') ? 'end' : 'ECONNRESET', way);
      for (const { loop } of hosts)
        assert.deepEqual([loop.stack.tcp.flowCount, loop.stack.pool.usedBytes], [0, 0], way);
    }
  });
});

describe('a server with a limit', () => {
  it('refuses what is over it by RST, tells the program, and goes on (row 56)', async () => {
    const { virtual, client, server } = twoHosts();
    const resets = countResets(server);
    const sockets: TunnelSocket[] = [];
    const listener = server.listen(80, (socket) => sockets.push(socket));
    listener.maxConnections = 10;
    let drops = 0;
    listener.on('drop', () => drops++);
    for (let i = 0; i < 50; i++) client.connect(B, 80).on('error', () => {});
    await virtual.settle();
    assert.deepEqual([sockets.length, drops, resets()], [10, 40, 40]);
    sockets[0]!.destroy();
    await virtual.settle();
    client.connect(B, 80);
    await virtual.settle();
    assert.equal(sockets.length, 11);
  });
});

/** Answers DNS queries at a host, by UDP and TCP. */
function serveDns(
  host: VirtualHost,
  answer: (query: Packet, isTcp: boolean) => Packet | undefined,
): { asked: string[] } {
  const asked: string[] = [];
  const reply = (message: Uint8Array, isTcp: boolean): Uint8Array | undefined => {
    const query = decode(Buffer.from(message));
    asked.push(`${isTcp ? 'TCP' : 'UDP'} ${query.questions![0]!.type}`);
    const response = answer(query, isTcp);
    return response && encode({ type: 'response', id: query.id!, questions: query.questions!, ...response });
  };
  const udp = host.udp().on('message', (message: Buffer, { port, address }) => {
    const response = reply(message, false);
    if (response !== undefined) udp.send(response, port, address);
  });
  udp.bind(53);
  host.listen(53, (socket) => {
    socket.on('error', () => {}); // the resolver hangs up as soon as it has its answer
    socket.on('data', (data: Buffer) => {
      const response = reply(data.subarray(2), true)!;
      socket.write(Buffer.concat([Buffer.of(response.length >> 8, response.length), response]));
    });
  });
  return { asked };
}

function resolverOf(
  host: VirtualHost,
  servers: readonly string[] = [B],
  search: readonly string[] = [],
): TunnelResolver {
  return new TunnelResolver(servers, search, {
    createUdpSocket: (type) => host.udp(type),
    connect: ({ host: to, port }) => host.connect(to, port),
  });
}

describe('the resolver of a tunnel', () => {
  const records: Record<AskedType, unknown> = {
    A: '192.0.2.1',
    AAAA: '2001:db8::1',
    CNAME: 'other.example',
    MX: { preference: 10, exchange: 'mail.example' },
    NS: 'ns.example',
    PTR: 'host.example',
    SOA: { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
    SRV: { priority: 1, weight: 2, port: 443, target: 'srv.example' },
    TXT: [Buffer.from('text')],
  };

  it('hands on every type of record as the server has it, and an empty answer as empty (row 61)', async () => {
    const { client, server } = twoHosts();
    serveDns(server, ({ questions }) => {
      const { name, type } = questions![0]!;
      if (name === 'empty.example') return {};
      return { answers: [{ name, type, ttl: 60, data: records[type as AskedType] } as never] };
    });
    const resolver = resolverOf(client);
    for (const type of Object.keys(records) as AskedType[]) {
      const [record, ...more] = await resolver.query('x.example', type);
      assert.deepEqual(more, []);
      assert.equal(record!.type, type);
      const data = record!.data as unknown;
      if (typeof records[type] === 'string') assert.equal(data, records[type]);
      else if (Array.isArray(records[type])) assert.equal(String(data), 'text');
      else assert.deepEqual({ ...(data as object), ...(records[type] as object) }, data);
      assert.deepEqual(await resolver.query('empty.example', type), []);
    }
  });

  it('asks for 1,232 bytes by EDNS, and by TCP for what does not fit: 10 KB arrive whole (row 61)', async () => {
    const { client, server } = twoHosts();
    let size: number | undefined;
    const long = Array.from({ length: 40 }, (_, i) => Buffer.alloc(250, 65 + (i % 26)));
    const { asked } = serveDns(server, (query, isTcp) => {
      const { name } = query.questions![0]!;
      const additional = query.additionals?.[0] as { udpPayloadSize?: number } | undefined;
      size = additional?.udpPayloadSize;
      const data = name === 'fits.example' ? long.slice(0, 4) : long;
      if (name !== 'fits.example' && !isTcp) return { flags: TRUNCATED_RESPONSE, answers: [] };
      return { answers: [{ type: 'TXT', name, ttl: 1, data }] };
    });
    const resolver = resolverOf(client);

    const [fits] = await resolver.query('fits.example', 'TXT');
    assert.ok((fits!.data as Buffer[]).length === 4, 'more than 512 bytes in one datagram');
    const [whole] = await resolver.query('long.example', 'TXT');

    assert.ok(Buffer.concat(whole!.data as Buffer[]).equals(Buffer.concat(long)));
    assert.equal(size, 1_232);
    assert.deepEqual(asked, ['UDP TXT', 'UDP TXT', 'TCP TXT']);
  });

  it('goes on to the next server after a failure, by UDP or by TCP, and after a refused port (row 61)', async () => {
    const virtual = new VirtualNet();
    const [client, server] = virtual.pair([A], [B, '10.0.0.3', '10.0.0.4']);
    const good: Packet = { answers: [{ type: 'A', name: 'x.example', ttl: 1, data: '192.0.2.1' }] };
    let isFailing = true;
    const udp = server.udp().on('message', (message: Buffer, { port, address }) => {
      const query = decode(message);
      const response: Packet = isFailing ? { flags: 2 } : good; // SERVFAIL
      isFailing = false;
      udp.send(encode({ type: 'response', id: query.id!, questions: query.questions!, ...response }), port, address);
    });
    udp.bind(53);
    assert.deepEqual(await resolverOf(client, [B, '10.0.0.3']).resolve4('x.example'), ['192.0.2.1']);

    udp.removeAllListeners('message').on('message', (message: Buffer, { port, address }) => {
      const query = decode(message);
      const response: Packet = { flags: isFailing ? 2 : TRUNCATED_RESPONSE };
      udp.send(encode({ type: 'response', id: query.id!, questions: query.questions!, ...response }), port, address);
    });
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ETIMEOUT' }, 'nobody listens on TCP');
    isFailing = true;
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ESERVFAIL' });
    udp.close();
    await assert.rejects(resolverOf(client).query('x.example', 'A'), { code: 'ETIMEOUT' }, 'the port is closed');
  });

  it('refuses names that DNS cannot carry, and tries a long list of search domains in turn (row 61)', async () => {
    const { client, server } = twoHosts();
    const search = Array.from({ length: 40 }, (_, i) => `${'d'.repeat(60)}.${'e'.repeat(60)}.${i}.example`);
    const { asked } = serveDns(server, ({ questions }) => {
      const { name } = questions![0]!;
      return name.endsWith('.39.example') ? { answers: [{ type: 'A', name, ttl: 1, data: '192.0.2.9' }] } : {};
    });
    const resolver = resolverOf(client, [B], [...search.slice(0, 5), `${'x.'.repeat(130)}example`, ...search.slice(5)]);
    assert.deepEqual(await resolver.lookup('www'), [{ address: '192.0.2.9', family: 4 }]);
    assert.equal(asked.length, 80);
    for (const name of ['a'.repeat(64), `${'a.'.repeat(130)}b`, 'a..b', '.', ''])
      await assert.rejects(resolver.query(name, 'A'), { code: 'ENOTFOUND' }, `"${name.slice(0, 20)}"`);
    assert.equal(asked.length, 80);
  });

  it('holds no port after a day of queries, one each second, and after all kinds of failures (row 62)', async () => {
    const { virtual, client, server } = twoHosts();
    serveDns(server, ({ questions }) => {
      const { name } = questions![0]!;
      return name === 'silent.example' ? undefined : { answers: [{ type: 'A', name, ttl: 1, data: '192.0.2.1' }] };
    });
    const resolver = resolverOf(client);
    for (let second = 0; second < 86_400; second++) {
      await resolver.query('x.example', 'A');
      virtual.nowMs += 1_000;
    }
    mock.timers.enable({ apis: ['setTimeout'] });
    for (const [asking, name] of [
      [resolver, 'silent.example'],
      [resolverOf(client, ['10.0.0.77']), 'unreachable.example'],
    ] as const)
      for (let i = 0; i < 200; i++) {
        const failed = assert.rejects(asking.query(name, 'A'), { code: 'ETIMEOUT' });
        for (let round = 0; round < 3; round++) {
          await virtual.settle();
          mock.timers.tick(2_000);
        }
        await failed;
      }
    mock.timers.reset();

    const { udp } = client.loop.stack;
    for (let port = 32_768; port <= 60_999; port++)
      assert.ok(udp.bind(undefined, port) !== undefined, `port ${port} is still bound`);
  });
});

describe('a write', () => {
  it('may have any length: 0, 1, 65,535, 65,536 bytes, and ten megabytes (row 66)', async () => {
    for (const bytes of [0, 1, 65_535, 65_536, 10_000_000]) {
      const { virtual, near, far } = await connected();
      const data = randomBytes(bytes);
      const received = buffer(far);
      near.write(data);
      near.write(Buffer.alloc(0));
      near.end();
      await virtual.advance(5_000);
      assert.ok(data.equals(await received), `${bytes} bytes`);
      assert.equal(near.bytesWritten, bytes);
    }
  });
});

describe('tunnels', { timeout: 240_000 }, () => {
  it('send no question about a name anywhere but through themselves (row 63)', async () => {
    const { left, right } = await openPair(true, [RIGHT[4]]);
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
    await left.close();
    await right.close();
  });

  it('without a DNS server say so, and ask nobody (row 63)', async () => {
    const { left, right } = await openPair();
    await assert.rejects(left.lookup('localhost'), { code: 'ENOTFOUND', message: /add DNS = ADDRESS/ });
    await left.close();
    await right.close();
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
    right.createServer((socket) => socket.end(socket.localAddress)).listen(80);
    const forwards = await Promise.all(
      own.map((address) => left.forward('127.0.0.1:0', address.includes(':') ? `[${address}]:80` : `${address}:80`)),
    );
    for (const [i, { port }] of forwards.entries())
      for (let again = 0; again < 2; again++)
        assert.equal(String(await buffer(net.connect({ port, host: '127.0.0.1' }))), own[i]);
    for (const forward of forwards) await forward.close();
    await left.close();
    await right.close();
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
    assert.ok(performance.now() - startMs < 10_000);
    assert.ok(blocked.every((socket) => socket.connecting));
    await left.close();
    await right.close();
  });
});

describe('a forwarded port', () => {
  it('breaks off with its far side: half an answer never looks like a whole one (row 52)', async () => {
    const { virtual, client, server } = twoHosts();
    server.listen(80, (socket) => {
      socket.write('half');
      socket.once('data', () => socket.resetAndDestroy());
    });
    const forward = await forwardPort('127.0.0.1:0', `${B}:80`, ({ host, port, allowHalfOpen }) =>
      client.connect(host, port, { allowHalfOpen }),
    );
    const socket = net.connect(forward.port, '127.0.0.1');
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(first), 'half');
    socket.write('go on');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    await forward.close();
    await virtual.settle();
  });
});
