import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it, type TestContext } from 'node:test';

import { DirectExit } from '../../../src/proxy/exits/direct-exit.js';
import { ForwardSet } from '../../../src/proxy/forwards/forward-set.js';
import type { ForwardWays } from '../../../src/proxy/forwards/open-forward.js';
import type { Forward, ListenAddress } from '../../../src/proxy/proxy-config.js';
import { Router } from '../../../src/proxy/rules/router.js';

const HERE = '127.0.0.1';
const TIMEOUT = { timeout: 30_000 };

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'wiretype-forward-'));
});
after(() => rmSync(folder, { recursive: true }));

describe('a forward', { concurrency: false }, () => {
  it('carries bytes both ways, and each end by itself', TIMEOUT, async (t) => {
    const server = await serve(t, { allowHalfOpen: true }, (socket) => {
      let bytes = 0;
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      socket.once('end', () => socket.end(`${bytes} bytes`));
    });
    const { port } = await open(t, local({ host: HERE, port: 0 }, server));

    const socket = connect({ port, host: HERE, allowHalfOpen: true });
    socket.end(Buffer.alloc(1_000_000));

    assert.equal(await text(socket), '1000000 bytes');
  });

  it('carries a reset', TIMEOUT, async (t) => {
    const server = await serve(t, {}, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { port } = await open(t, local({ host: HERE, port: 0 }, server));

    const socket = connect(port, HERE);
    socket.write('x');

    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
  });

  it('resets a connection whose target refuses, and reports why', TIMEOUT, async (t) => {
    const { port, failures } = await open(t, local({ host: HERE, port: 0 }, { host: HERE, port: 1 }));

    const [error] = (await once(connect(port, HERE), 'error')) as [NodeJS.ErrnoException];

    assert.equal(error.code, 'ECONNRESET');
    assert.match(failures.join(), /127\.0\.0\.1:1 refused the connection/);
  });

  it('listens on a UNIX socket that its owner alone may use, and removes it', TIMEOUT, async (t) => {
    const server = await serve(t, { allowHalfOpen: true }, (socket) => socket.end('hello'));
    const path = join(folder, 'in.sock');
    const { set } = await open(t, local({ path }, server));

    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await text(connect(path)), 'hello');
    set.close();
    assert.ok(!existsSync(path));
  });

  it('replaces the file of a socket that nobody serves, and nothing else', TIMEOUT, async (t) => {
    const [stale, live, file] = ['stale', 'live', 'file'].map((name) => join(folder, `${name}.sock`));
    const abandoned = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))";
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    spawnSync(process.execPath, ['-e', abandoned, stale!]);
    assert.ok(existsSync(stale!));
    await serve(t, {}, () => {}, live);
    writeFileSync(file!, 'precious');

    await open(t, local({ path: stale! }, { host: HERE, port: 1 }));
    for (const path of [live!, file!])
      await assert.rejects(open(t, local({ path }, { host: HERE, port: 1 })), { code: 'ERR_LISTEN' });
    assert.ok(existsSync(file!));
  });

  it('leads to a UNIX socket of this host', TIMEOUT, async (t) => {
    const path = join(folder, 'out.sock');
    await serve(t, {}, (socket) => socket.end('hello'), path);
    const from = { host: HERE, port: 0 };
    const { port } = await open(t, { direction: 'remote', protocol: 'tcp', from, to: { path } });

    assert.equal(await text(connect(port, HERE)), 'hello');
  });

  it('carries datagrams, each sender with a port of its own', TIMEOUT, async (t) => {
    const server = createSocket('udp4', (message, { port }) => {
      server.send(`${message} came from ${port}`, port, HERE);
    });
    server.bind(0, HERE);
    await once(server, 'listening');
    t.after(() => server.close());
    const to = { host: HERE, port: server.address().port };
    const { port } = await open(t, { ...local({ host: HERE, port: 0 }, to), protocol: 'udp' });

    const answers = await Promise.all(['one', 'two'].map((message) => ask(t, port, message)));

    const [one, two] = answers.map((answer) => /^(one|two) came from (\d+)$/.exec(answer)!);
    assert.deepEqual([one![1], two![1]], ['one', 'two']);
    assert.notEqual(one![2], two![2]);
  });
});

describe('a set of forwards', () => {
  it('keeps what stays, with its connections, and uses the new target for new ones', TIMEOUT, async (t) => {
    const echo = await serve(t, {}, (socket) => socket.pipe(socket));
    const other = await serve(t, {}, (socket) => socket.end('other'));
    const { set, port, ways } = await open(t, local({ host: HERE, port: 0 }, echo));
    const socket = connect(port, HERE);
    socket.write('before');
    await once(socket, 'data');

    const change = await set.prepare([local({ host: HERE, port: 0 }, other)], ways);
    change.commit();

    assert.equal(set.forwards[0]!.port, port);
    assert.equal(await text(connect(port, HERE)), 'other');
    socket.write('after');
    assert.equal(String((await once(socket, 'data'))[0]), 'after');
    socket.destroy();
  });

  it('changes nothing if one forward cannot listen', TIMEOUT, async (t) => {
    const server = await serve(t, {}, (socket) => socket.end('served'));
    const { set, port, ways } = await open(t, local({ host: HERE, port: 0 }, server));
    const path = join(folder, 'never.sock');

    const wanted = [local({ path }, server), local({ host: HERE, port: server.port }, server)];
    await assert.rejects(set.prepare(wanted, ways), { code: 'ERR_LISTEN', message: /cannot listen on 127\.0\.0\.1:/ });

    assert.ok(!existsSync(path));
    assert.equal(await text(connect(port, HERE)), 'served');
  });

  it('closes what is gone', TIMEOUT, async (t) => {
    const server = await serve(t, {}, (socket) => socket.end('served'));
    const { set, port, ways } = await open(t, local({ host: HERE, port: 0 }, server));

    (await set.prepare([], ways)).commit();

    const [error] = (await once(connect(port, HERE), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});

function local(from: ListenAddress, to: ListenAddress): Forward {
  return { direction: 'local', protocol: 'tcp', from, to, tunnel: 'here' };
}

/** The tunnel is this host as well. */
async function open(t: TestContext, forward: Forward) {
  const direct = new DirectExit();
  const tunnel = Object.assign(new DirectExit(), { name: 'here' });
  const router = new Router({ tunnels: [tunnel], direct, rules: [] });
  const ways: ForwardWays = { router, direct, tunnel: () => tunnel };
  const failures: string[] = [];
  const set = new ForwardSet({ onFailure: (_, { message }) => failures.push(message) });
  t.after(() => set.close());
  (await set.prepare([forward], ways)).commit();
  return { set, ways, failures, port: set.forwards[0]!.port };
}

async function serve(
  t: TestContext,
  options: { allowHalfOpen?: boolean },
  onConnection: (socket: Socket) => unknown,
  path?: string,
): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    void onConnection(socket);
  });
  if (path === undefined) server.listen(0, HERE);
  else server.listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: HERE, port: path === undefined ? (server.address() as AddressInfo).port : 0 };
}

async function ask(t: TestContext, port: number, message: string): Promise<string> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.send(message, port, HERE);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  return String(answer);
}
