import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { joinStreams } from '../../src/rootless/join-streams.js';
import { ping } from '../../src/rootless/ping.js';
import { forwardPort } from '../../src/rootless/port-forward.js';
import type { TunnelSocket } from '../../src/rootless/tunnel-socket.js';
import { SERVER, twoHosts, type VirtualHost, VirtualNet } from './virtual-net.js';

const RST = 4;
const TEN_MINUTES_MS = 600_000;

/** Connects once, and hands out both ends. */
async function connected(options: { allowHalfOpen?: boolean } = {}) {
  const { virtual, client, server } = twoHosts();
  const accepted = new Promise<TunnelSocket>((resolve) => server.listen(80, resolve, options));
  const near = client.connect(SERVER, 80, options);
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

describe('a socket that is closed', { timeout: 60_000 }, () => {
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
      const socket = client.connect(SERVER, 80).on('error', () => {});
      for (let i = 0; i < turns; i++) await Promise.resolve();
      socket.destroy();
      await virtual.advance(61_000);
      assert.deepEqual([client.loop.stack.tcp.flowCount, server.loop.stack.tcp.flowCount], [0, 0], `${turns} turns`);
    }
  });
});

describe('a datagram', { timeout: 60_000 }, () => {
  it('arrives exactly once by every way to send it, and is answered by the same way (rows 46, 59)', async () => {
    const { virtual, client, server } = twoHosts();
    for (const [type, host] of [
      ['udp4', SERVER],
      ['udp6', 'fd00::2'],
    ] as const) {
      const echo = server
        .udp(type)
        .on('message', (message: Buffer, { port, address }) => echo.send(message, port, address));
      echo.bind(53);
      const plain = client.udp(type);
      const bound = client.udp(type).bind(5_000);
      const joined = client.udp(type);
      await new Promise<void>((resolve) => joined.connect(53, host, () => resolve()));
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
    for (const call of [
      () => socket.send('x', 0, SERVER),
      () => socket.send('x', 70_000, SERVER),
      () => socket.connect(0, SERVER),
    ])
      assert.throws(call, { code: 'ERR_SOCKET_ARGUMENT' });
    socket.close();
  });
});

describe('pings', { timeout: 60_000 }, () => {
  it('of a thousand, half of them unanswered, end one by one and leave nothing behind (row 47)', async () => {
    const { virtual, client } = twoHosts();
    let number = 0;
    client.filter = () => number++ % 2 === 0;
    const pings = Promise.allSettled(Array.from({ length: 1_000 }, () => ping(client, SERVER, { timeoutMs: 2_000 })));
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

describe('two connections that are joined', { timeout: 60_000 }, () => {
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

describe('a server with a limit', { timeout: 60_000 }, () => {
  it('refuses what is over it by RST, tells the program, and goes on (row 56)', async () => {
    const { virtual, client, server } = twoHosts();
    const resets = countResets(server);
    const sockets: TunnelSocket[] = [];
    const listener = server.listen(80, (socket) => sockets.push(socket));
    listener.maxConnections = 10;
    let drops = 0;
    listener.on('drop', () => drops++);
    for (let i = 0; i < 50; i++) client.connect(SERVER, 80).on('error', () => {});
    await virtual.settle();
    assert.deepEqual([sockets.length, drops, resets()], [10, 40, 40]);
    sockets[0]!.destroy();
    await virtual.settle();
    client.connect(SERVER, 80);
    await virtual.settle();
    assert.equal(sockets.length, 11);
  });
});

describe('a write', { timeout: 60_000 }, () => {
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

describe('a forwarded port', { timeout: 60_000 }, () => {
  it('breaks off with its far side: half an answer never looks like a whole one (row 52)', async () => {
    const { client, server } = twoHosts();
    server.listen(80, (socket) => {
      socket.write('half');
      socket.once('data', () => socket.resetAndDestroy());
    });
    await using forward = await forwardPort('127.0.0.1:0', `${SERVER}:80`, ({ host, port, allowHalfOpen }) =>
      client.connect(host, port, { allowHalfOpen }),
    );
    const socket = net.connect(forward.port, '127.0.0.1');
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(first), 'half');
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.write('go on');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(code, 'ECONNRESET');
  });
});
