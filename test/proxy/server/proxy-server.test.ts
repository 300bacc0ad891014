import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { RIGHT } from '../../rootless/pair-of-hosts.js';
import { eventually, ProxyFixture, RawClient } from '../proxy-fixture.js';

const HERE = { host: '127.0.0.1', port: 0 };

describe('a proxy', { timeout: 60_000 }, () => {
  let fixture: ProxyFixture;
  let echo: number;
  before(async () => {
    fixture = await ProxyFixture.open();
    echo = await fixture.serveInside((socket) => socket.pipe(socket));
  });
  after(() => fixture.close());

  it('tells SOCKS from HTTP by the first byte, on one port', async () => {
    const { port, counters } = await fixture.start({ protocol: 'any' });
    assertStarts(await ask(port, socks5(echo), 12), '\x05\x00\x05\x00');
    assertStarts(await ask(port, [4, 1, echo >> 8, echo & 255, 10, 9, 0, 2, 0], 8), '\x00\x5a');
    assert.match(await ask(port, `CONNECT ${RIGHT[4]}:${echo} HTTP/1.1\r\n\r\n`, 12), /^HTTP\/1\.1 200/);
    assert.deepEqual(counters.requests, { socks4: 1, socks5: 1, http: 1 });
  });

  it('speaks only the protocol of a listener that has one', async () => {
    const socks = await fixture.start({ protocol: 'socks5' });
    const client = new RawClient(socks.port).send('GET / HTTP/1.1\r\n\r\n');
    assert.equal((await client.rest()).length, 0);
    client.socket.destroy();
    assert.equal(socks.counters.refused.malformed, 1);
    const web = await fixture.start({ protocol: 'http' });
    assert.match(await ask(web.port, socks5(echo), 12), /^HTTP\/1\.1 400/);
  });

  it('carries an end as an end and a reset as a reset, both ways, however late the other way ends', async () => {
    const { port } = await fixture.start();
    const ends: string[] = [];
    const inside = await fixture.serveInside((socket) => {
      socket.on('data', (chunk) => chunk.toString() === 'reset me' && socket.resetAndDestroy());
      socket.on('end', () => ends.push('end'));
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code!));
      socket.on('end', () => setTimeout(() => socket.end('late'), 50));
    });
    const half = await joined(port, inside);
    half.socket.end();
    assert.equal((await half.rest()).toString(), 'late');
    await eventually(() => ends.length === 1);

    const cut = await joined(port, inside);
    cut.socket.resetAndDestroy();
    await eventually(() => ends.length === 2);
    assert.deepEqual(ends, ['end', 'ECONNRESET']);

    const reset = (await joined(port, inside)).send('reset me');
    await reset.closed();
    assert.equal(reset.errorCode, 'ECONNRESET');
  });

  it('pauses a sender whose receiver takes nothing', async () => {
    const { port, counters } = await fixture.start();
    let taken: NodeJS.ReadableStream | undefined;
    const inside = await fixture.serveInside((socket) => {
      taken = socket.pause();
    });
    const client = await joined(port, inside);
    const total = 64 * 1024 * 1024;
    client.socket.end(Buffer.alloc(total));
    let before = -1;
    await eventually(() => {
      const isStill = counters.sentBytes > 0 && counters.sentBytes === before;
      before = counters.sentBytes;
      return isStill;
    });
    assert.ok(counters.sentBytes < total / 2);
    taken!.resume();
    await eventually(() => counters.sentBytes === total);
    client.socket.destroy();
  });

  it('listens on a UNIX socket that only its user may open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-proxy-'));
    const path = join(folder, 'proxy.sock');
    const { counters } = await fixture.start({ at: { path } });
    const client = connect(path);
    client.write(`CONNECT ${RIGHT[4]}:${echo} HTTP/1.1\r\n\r\n`);
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200/);
    client.end('there and back');
    assert.equal(await text(client), 'there and back');
    await eventually(() => counters.active === 0);
    const noDatagrams = connect(path);
    noDatagrams.write(Buffer.from([5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0]));
    noDatagrams.end();
    assertStarts(await text(noDatagrams), '\x05\x00\x05\x01');
    rmSync(folder, { recursive: true });
  });

  it('speaks TLS on a listener with a certificate, and takes another one at a reload', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-proxy-'));
    const certificate = makeCertificate(folder, 'first');
    const { server, port, counters } = await fixture.start({ certificate });
    assert.equal(await overTls(port, `CONNECT ${RIGHT[4]}:${echo} HTTP/1.1\r\n\r\n`), 'first HTTP/1.1 200');
    assertStarts(await overTls(port, Buffer.from(socks5(echo))), 'first \x05\x00');

    const plain = new RawClient(port).send('GET / HTTP/1.1\r\n\r\n');
    await plain.rest();
    plain.socket.destroy();
    await eventually(() => counters.refused.malformed === 1);

    await server.update(fixture.router(), [
      { protocol: 'any', at: HERE, certificate: makeCertificate(folder, 'second') },
    ]);
    assert.equal(await overTls(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'second HTTP/1.1 400');
    await assert.rejects(
      server.update(fixture.router(), [
        { protocol: 'any', at: HERE, certificate: { certFile: `${folder}/none`, keyFile: `${folder}/none` } },
      ]),
      { code: 'ERR_CERTIFICATE', message: /cannot read .*none/ },
    );
    rmSync(folder, { recursive: true });
  });

  it('keeps connections and ports at a reload, and serves further requests by the new rules and passwords', async () => {
    const { server, port, counters } = await fixture.start();
    const open = await joined(port, echo);
    const second = { host: '127.0.0.2', port: 0 };
    await server.update(fixture.router('* block'), [
      { protocol: 'any', at: HERE, credentials: { username: 'a', password: 'b' } },
      { protocol: 'http', at: second },
    ]);
    const [first, added] = server.addresses as { port: number; host: string }[];
    assert.deepEqual([first!.port, added!.host], [port, '127.0.0.2']);
    open.send('still here').socket.end();
    assert.equal((await open.rest()).toString(), 'still here');
    assertStarts(await ask(port, [5, 1, 0], 2), '\x05\xff');

    await server.update(fixture.router('* block'), [{ protocol: 'any', at: HERE }]);
    assertStarts(await ask(port, socks5(echo), 12), '\x05\x00\x05\x02');
    const [error] = (await once(connect(added!.port, '127.0.0.2'), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    assert.ok(counters.accepted >= 3);
  });

  it('changes nothing at a reload if a new listener cannot be opened', async () => {
    const { server, port } = await fixture.start();
    const taken = await fixture.serveOutside(() => {});
    await assert.rejects(
      server.update(fixture.router('* block'), [
        { protocol: 'any', at: { host: '127.0.0.2', port: 0 } },
        { protocol: 'any', at: { host: '127.0.0.1', port: taken } },
      ]),
      { code: 'ERR_LISTEN', message: new RegExp(`cannot listen on 127\\.0\\.0\\.1:${taken}: another program does`) },
    );
    assert.deepEqual(server.addresses, [{ host: '127.0.0.1', port }]);
    (await joined(port, echo)).socket.destroy();
  });

  it('ends everything when it closes', async () => {
    const { server, port, counters } = await fixture.start();
    const clients = [await joined(port, echo), new RawClient(port), new RawClient(port).send([5])];
    await eventually(() => counters.active === 3);
    await server.close();
    for (const client of clients) await client.closed();
    await eventually(() => counters.active === 0);
    const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('goes past the tunnel where a rule says so, and leaves nothing behind after a thousand connections in every way of ending', async () => {
    const { port, counters } = await fixture.start({}, ['127.0.0.0/8 direct']);
    const ways = ['end', 'reset', 'close', 'echo'];
    const outside = await fixture.serveOutside((socket) => {
      socket.once('data', (chunk) => {
        if (chunk[0] === 0) socket.end();
        else if (chunk[0] === 1) socket.resetAndDestroy();
        else if (chunk[0] === 2) socket.destroy();
        else socket.pipe(socket);
      });
    });
    for (let round = 0; round < 10; round++)
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const client = await joined(port, outside, [127, 0, 0, 1]);
          client.send([i % ways.length]);
          if (i % 3 === 0) client.socket.resetAndDestroy();
          else client.socket.end();
          await client.until(() => client.isEnded || client.isClosed);
          client.socket.destroy();
        }),
      );
    await eventually(() => counters.active === 0);
    assert.equal(counters.accepted, 1_000);
  });

  it('makes room at its limit for a new connection only if another one is idle', async () => {
    const { port, counters } = await fixture.start({}, [], { maxConnections: 2 });
    const clients = [await joined(port, echo), await joined(port, echo)];
    const refused = new RawClient(port);
    await refused.closed();
    assert.equal(counters.refused.limit, 1);
    for (const { socket } of clients) socket.destroy();
    await eventually(() => counters.active === 0);
    (await joined(port, echo)).socket.destroy();
  });
});

function assertStarts(answer: string, start: string): void {
  assert.equal(answer.slice(0, start.length), start);
}

function socks5(port: number, address: readonly number[] = [10, 9, 0, 2]): number[] {
  return [5, 1, 0, 5, 1, 0, 1, ...address, port >> 8, port & 255];
}

async function joined(port: number, to: number, address?: readonly number[]): Promise<RawClient> {
  const client = new RawClient(port).send(socks5(to, address));
  assert.deepEqual([...(await client.take(12)).subarray(0, 4)], [5, 0, 5, 0]);
  return client;
}

/** Sends, and returns the first bytes of the answer. */
async function ask(port: number, bytes: string | readonly number[], length: number): Promise<string> {
  const client = new RawClient(port).send(bytes);
  const answer = (await client.take(length)).toString('latin1');
  client.socket.destroy();
  return answer;
}

/** Returns the name in the certificate, and the first twelve bytes of the answer. */
async function overTls(port: number, request: string | Buffer): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] });
  socket.write(request);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return `${String(CN)} ${answer.toString('latin1').slice(0, 12)}`;
}

function makeCertificate(folder: string, name: string): { certFile: string; keyFile: string } {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '1', '-subj', `/CN=${name}`], {
    stdio: 'pipe',
  });
  return { certFile, keyFile };
}
