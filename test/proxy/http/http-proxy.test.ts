import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { connect as connectTcp } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

import fc from 'fast-check';

import { RIGHT } from '../../rootless/pair-of-hosts.js';
import { eventually, ProxyFixture, RawClient } from '../proxy-fixture.js';

describe('the HTTP proxy', { timeout: 90_000 }, () => {
  let fixture: ProxyFixture;
  before(async () => {
    fixture = await ProxyFixture.open();
  });
  after(() => fixture.close());

  it('forwards a request in absolute-form, with Host of the target and without fields of the hop (RFC 9112 §3.2.2)', async () => {
    const { port, counters } = await fixture.start();
    const seen: http.IncomingMessage[] = [];
    const inside = await fixture.serveHttpInside((request, response) => {
      seen.push(request);
      response.writeHead(201, 'Made', {
        'X-Answer': 'yes',
        'Keep-Alive': 'timeout=9',
        Connection: 'X-Gone',
        'X-Gone': '1',
      });
      response.end('body');
    });
    const authority = `web.internal:${inside.port}`;
    const client = new RawClient(port).send(
      `GET http://${authority}/a?b HTTP/1.1\r\nHost: other.test\r\nProxy-Connection: keep-alive\r\nX-Hop: 1\r\nConnection: close, X-Hop\r\n` +
        'Proxy-Authorization: Basic x\r\nX-Kept: 1\r\n\r\n',
    );
    const answer = (await client.rest()).toString();
    assert.match(answer, /^HTTP\/1\.1 201 Made\r\n/);
    assert.match(answer, /X-Answer: yes/);
    assert.doesNotMatch(answer, /X-Gone|timeout=9/);
    assert.match(answer, /body/);
    const [request] = seen;
    assert.deepEqual([request!.url, request!.headers.host, request!.headers['x-kept']], ['/a?b', authority, '1']);
    for (const name of ['proxy-authorization', 'proxy-connection', 'x-hop'])
      assert.equal(request!.headers[name], undefined);
    assert.equal(counters.requests.http, 1);
    assert.ok(fixture.direct.asked.length === 0);
    client.socket.destroy();
  });

  it('keeps connections on both sides for further requests', async () => {
    const { port, counters } = await fixture.start();
    const peers = new Set<number | undefined>();
    const inside = await fixture.serveHttpInside((request, response) => {
      peers.add(request.socket.remotePort);
      response.end(request.url);
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/1', '/2', '/3']) {
      const response = await get(port, `http://${RIGHT[4]}:${inside.port}${path}`, { agent });
      assert.equal(await text(response), path);
    }
    assert.deepEqual([peers.size, counters.accepted, counters.requests.http], [1, 1, 3]);
    agent.destroy();
  });

  it('repeats a request on a new connection if the server closed the old one meanwhile (RFC 9112 §9.3.1)', async () => {
    const { port } = await fixture.start();
    let connections = 0;
    const inside = await fixture.serveInside((socket) => {
      const isFirst = ++connections === 1;
      let requests = 0;
      socket.on('data', () => {
        if (isFirst && ++requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const url = `http://${RIGHT[4]}:${inside}/`;
    assert.equal(await text(await get(port, url)), 'ok');
    assert.equal(await text(await get(port, url)), 'ok');
    assert.equal(connections, 2);
  });

  it('streams both bodies, chunked or of known length, byte for byte', async () => {
    const { port, counters } = await fixture.start();
    const inside = await fixture.serveHttpInside((request, response) => {
      response.setHeader(
        'X-Framing',
        request.headers['transfer-encoding'] ?? request.headers['content-length'] ?? 'none',
      );
      request.pipe(response);
    });
    const sent = randomBytes(2_000_000);
    for (const [headers, framing] of [
      [{}, 'chunked'],
      [{ 'Content-Length': sent.length }, String(sent.length)],
    ] as const) {
      const request = http.request({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: `http://${RIGHT[4]}:${inside.port}/`,
        headers,
      });
      request.write(sent.subarray(0, 100));
      request.end(sent.subarray(100));
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      assert.equal(response.headers['x-framing'], framing);
      assert.equal(hash(await buffer(response)), hash(sent));
    }
    assert.ok(counters.sentBytes >= 2 * sent.length && counters.receivedBytes >= 2 * sent.length);
  });

  it('says that a POST without a body has none, and answers HEAD and 304 without a body', async () => {
    const { port } = await fixture.start();
    const inside = await fixture.serveHttpInside((request, response) => {
      if (request.url === '/304') response.writeHead(304, { ETag: 'x' });
      else response.setHeader('X-Length', request.headers['content-length'] ?? 'none');
      response.end();
    });
    const origin = `http://${RIGHT[4]}:${inside.port}`;
    const client = new RawClient(port).send(`POST ${origin}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.match(await client.takeThrough('\r\n\r\n'), /X-Length: 0/);
    client.socket.destroy();
    const second = new RawClient(port).send(
      `HEAD ${origin}/ HTTP/1.1\r\nHost: x\r\n\r\nGET ${origin}/304 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    const both = (await second.rest()).toString();
    assert.match(both, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHTTP\/1\.1 304 Not Modified\r\n[\s\S]*\r\n\r\n$/);
    second.socket.destroy();
  });

  it('passes 100 Continue and other interim responses on (RFC 9110 §15.2)', async () => {
    const { port } = await fixture.start();
    const inside = await fixture.serveHttpInside((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('done');
    });
    const url = `http://${RIGHT[4]}:${inside.port}/`;
    const client = new RawClient(port).send(
      `POST ${url} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n`,
    );
    await client.takeThrough('100 Continue\r\n\r\n');
    client.send('body');
    assert.match((await client.rest()).toString(), /103 Early Hints\r\nLink: [\s\S]*200 OK[\s\S]*done/);
    client.socket.destroy();
  });

  it('joins the connections for CONNECT, bytes sent early included (RFC 9110 §9.3.6)', async () => {
    const { port } = await fixture.start();
    const inside = await fixture.serveInside((socket) => socket.pipe(socket));
    const client = new RawClient(port).send(`CONNECT web.internal:${inside} HTTP/1.1\r\nHost: x\r\n\r\nearly `);
    assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 200 Connection established\r\n\r\n');
    client.send('and late').socket.end();
    assert.equal((await client.rest()).toString(), 'early and late');
  });

  it('switches protocols for an upgrade in absolute-form, and forwards the answer if the server does not (RFC 9110 §7.8)', async () => {
    const { port } = await fixture.start();
    const { web, port: inside } = await fixture.serveHttpInside((_request, response) => response.end('still HTTP'));
    web.on('upgrade', (request, socket) => {
      if (request.url === '/no') socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
      else
        socket.end(`HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`).resume();
      if (request.url !== '/no') assert.equal(request.headers.connection, 'Upgrade');
    });
    const ask = (path: string): RawClient =>
      new RawClient(port).send(
        `GET http://${RIGHT[4]}:${inside}${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n`,
      );
    const switched = ask('/yes');
    assert.match((await switched.rest()).toString(), /^HTTP\/1\.1 101 Yes\r\n[\s\S]*Upgrade: websocket\r\n\r\n$/);
    const declined = ask('/no');
    assert.match((await declined.rest()).toString(), /^HTTP\/1\.1 403 No\r\n[\s\S]*Connection: close\r\n\r\nno$/);
    for (const { socket } of [switched, declined]) socket.destroy();
  });

  it('asks for a password with 407, for every kind of request, and never passes it on (RFC 9110 §11.7)', async () => {
    const { port, counters } = await fixture.start({ credentials: { username: 'ann', password: 'secret' } });
    const inside = await fixture.serveHttpInside((request, response) => response.end(JSON.stringify(request.headers)));
    const url = `http://${RIGHT[4]}:${inside.port}/`;
    for (const head of [
      `GET ${url} HTTP/1.1`,
      `CONNECT ${RIGHT[4]}:${inside.port} HTTP/1.1`,
      `GET ${url} HTTP/1.1\r\nUpgrade: a\r\nConnection: upgrade`,
    ]) {
      const client = new RawClient(port).send(`${head}\r\nHost: x\r\n\r\n`);
      const answer = await client.takeThrough('password.\n');
      assert.match(answer, /^HTTP\/1\.1 407 Proxy Authentication Required\r\n[\s\S]*Proxy-Authenticate: Basic realm=/);
      client.socket.destroy();
    }
    assert.equal(counters.refused.credentials, 3);
    const headers = { 'Proxy-Authorization': `Basic ${Buffer.from('ann:secret').toString('base64')}` };
    const response = await get(port, url, { headers });
    assert.equal(response.statusCode, 200);
    assert.doesNotMatch(await text(response), /proxy/i);
  });

  it('answers with a sentence what went wrong', async () => {
    const { port, counters } = await fixture.start({}, ['blocked.test block', '* wg0']);
    for (const [url, status, sentence] of [
      [`http://${RIGHT[4]}:9/`, 502, /^10\.9\.0\.2:9 refused the connection through the tunnel wg0\.\n$/],
      ['http://missing.internal/', 502, /^The name missing\.internal was not found through the tunnel wg0\.\n$/],
      ['http://blocked.test/', 403, /^The rule "blocked\.test block" blocks blocked\.test:80\.\n$/],
      ['/', 400, /^This is an HTTP proxy/],
      ['https://a.test/', 400, /CONNECT/],
    ] as const) {
      const response = await get(port, url);
      assert.equal(response.statusCode, status, url);
      assert.match(await text(response), sentence);
    }
    const client = new RawClient(port).send('CONNECT blocked.test:443 HTTP/1.1\r\n\r\n');
    assert.match((await client.rest()).toString(), /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*blocks blocked\.test:443\.\n$/);
    client.socket.destroy();
    assert.deepEqual([counters.refused.blocked, counters.refused.refused, counters.refused.malformed], [2, 1, 2]);
  });

  it('refuses requests whose length is ambiguous, or whose coding it cannot keep (RFC 9112 §6.1, §6.3)', async () => {
    const { port, counters } = await fixture.start();
    let requests = 0;
    const inside = await fixture.serveHttpInside((_request, response) => response.end(String(++requests)));
    const line = `POST http://${RIGHT[4]}:${inside.port}/ HTTP/1.1\r\nHost: x\r\n`;
    for (const fields of [
      'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
      'Content-Length: +3\r\n\r\nabc',
      'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
      'Content-Length: 3\r\n folded\r\n\r\nabc',
    ]) {
      const client = new RawClient(port).send(line + fields);
      assert.match((await client.rest()).toString(), /^HTTP\/1\.1 (400|501) /, fields);
      client.socket.destroy();
    }
    const old = new RawClient(port).send(`${line.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    assert.match((await old.rest()).toString(), /^HTTP\/1\.1 400 /);
    old.socket.destroy();
    assert.equal(requests, 0);
    assert.equal(counters.refused.malformed, 8);
  });

  it('answers 502 to a response that breaks the rules, counts it, and cuts off one that ends too early', async () => {
    const { port, counters } = await fixture.start();
    const broken = [
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ];
    for (const bytes of broken) {
      const inside = await fixture.serveInside((socket) => socket.once('data', () => socket.end(bytes)));
      const response = await get(port, `http://${RIGHT[4]}:${inside}/`);
      assert.equal(response.statusCode, 502, bytes);
      assert.match(await text(response), /breaks the rules of HTTP/);
    }
    assert.equal(counters.malformedResponses, broken.length);

    const silent = await fixture.serveInside((socket) => socket.once('data', () => socket.end()));
    const response = await get(port, `http://${RIGHT[4]}:${silent}/`);
    assert.match(await text(response), /closed the connection without a response/);

    for (const part of [
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npart',
    ]) {
      const inside = await fixture.serveInside((socket) => socket.once('data', () => socket.end(part)));
      const cut = await get(port, `http://${RIGHT[4]}:${inside}/`);
      await assert.rejects(text(cut), { code: 'ECONNRESET' });
    }
  });

  it('serves requests that are sent before the responses, in their order, up to a limit', async () => {
    const { port, counters } = await fixture.start();
    const held: (() => void)[] = [];
    const inside = await fixture.serveHttpInside((request, response) =>
      held.push(() => response.end(`${request.url}!`)),
    );
    const head = (path: string): string => `GET http://${RIGHT[4]}:${inside.port}${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const client = new RawClient(port).send(Array.from({ length: 64 }, (_, i) => head(`/${i}`)).join(''));
    await eventually(() => held.length === 64);
    for (const answer of held.reverse()) answer();
    for (let i = 0; i < 64; i++) assert.ok((await client.takeThrough('!')).endsWith(`\r\n/${i}!`));

    client.send(Array.from({ length: 65 }, () => head('/more')).join(''));
    await client.closed();
    assert.equal(counters.refused.limit, 1);
  });

  it('ends a connection on which CONNECT comes before the response to an earlier request is complete', async () => {
    const { port, counters } = await fixture.start();
    const inside = await fixture.serveHttpInside((_request, response) => response.write('begun'));
    const url = `http://${RIGHT[4]}:${inside.port}/`;
    const client = new RawClient(port).send(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.takeThrough('begun');
    client.send(`CONNECT ${RIGHT[4]}:${inside.port} HTTP/1.1\r\n\r\n`);
    await client.closed();
    assert.equal(client.errorCode, 'ECONNRESET');
    assert.equal(counters.refused.malformed, 1);
  });

  it('aborts the request to the server when the client goes away', async () => {
    const { port, counters } = await fixture.start();
    let aborted = 0;
    const inside = await fixture.serveHttpInside((_request, response) => {
      response.on('close', () => aborted++);
      response.write('first part');
    });
    const client = new RawClient(port).send(`GET http://${RIGHT[4]}:${inside.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.takeThrough('first part');
    client.socket.destroy();
    await eventually(() => aborted === 1 && counters.active === 0);
  });

  it('serves a thousand short requests at once', async () => {
    const { port, counters } = await fixture.start();
    const inside = await fixture.serveHttpInside((request, response) => response.end(request.url));
    const answers = await Promise.all(
      Array.from(
        { length: 1_000 },
        async (_, i) => await text(await get(port, `http://web.internal:${inside.port}/${i}`, { agent: false })),
      ),
    );
    assert.deepEqual(
      answers,
      answers.map((_, i) => `/${i}`),
    );
    await eventually(() => counters.active === 0);
  });

  it('survives arbitrary bytes: every connection is answered or closed', async () => {
    const { port, counters } = await fixture.start();
    const start = fc.constantFrom(
      '',
      'GET ',
      'CONNECT ',
      'GET http://',
      'CONNECT a:',
      'GET http://web.internal/ HTTP/1.1\r\n',
      'POST http://web.internal:9/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    await fc.assert(
      fc.asyncProperty(
        start,
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.constantFrom('', '\r\n\r\n'),
        async (begin, rest, end) => {
          const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
          socket.resume();
          socket.end(Buffer.from(begin + rest + end, 'latin1'));
          await new Promise((resolve) => socket.once('close', resolve)); // by RST, too
        },
      ),
      { numRuns: 100 },
    );
    await eventually(() => counters.active === 0);
  });
});

async function get(port: number, path: string, options: http.RequestOptions = {}): Promise<http.IncomingMessage> {
  const request = http.get({ port, host: '127.0.0.1', path, ...options });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return response;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
