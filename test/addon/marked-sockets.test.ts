/** Sockets with a firewall mark, as `ss` sees them, and the names and connections of a carrier by them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { decode, encode } from 'dns-packet';
import { WebSocketServer } from 'ws';

import { loadAddon } from '../../src/addon/load.js';
import { MarkedSockets } from '../../src/host/marked-sockets.js';
import { openWebSocket } from '../../src/mesh/carrier/carrier-link.js';
import { TunnelResolver } from '../../src/rootless/tunnel-resolver.js';
import { inOwnNamespace } from './own-namespace.js';

const MARK = 4_711;
const SHOWN = 'fwmark:0x1267';
const LOCAL = '127.0.0.1';
const HUB = 'hub.example.net';
const PROXY = 'proxy.example.net';
const TIMEOUT = { timeout: 20_000 };

describe('Marked sockets', () => {
  it(...inOwnNamespace(import.meta.url, define));
});

function define(): void {
  const sockets = new MarkedSockets(loadAddon(), MARK);

  it('connect by TCP and UDP, in both families', TIMEOUT, async (t) => {
    for (const host of [LOCAL, '::1']) {
      const server = createTcpServer((socket) => t.after(() => socket.destroy())).listen(0, host);
      const port = await portOf(t, server);
      const tcp = sockets.connect({ host, port });
      t.after(() => tcp.destroy());
      await once(tcp, 'connect');
      const udp = sockets.createUdpSocket(host === LOCAL ? 'udp4' : 'udp6');
      t.after(() => udp.close());
      udp.connect(port, host);
      await once(udp, 'connect');
      for (const kind of ['-t', '-u']) assert.match(connectionsTo(kind, port), new RegExp(SHOWN));
    }
  });

  it('look names up', TIMEOUT, async (t) => {
    const server = createSocket('udp4').bind(53, LOCAL);
    t.after(() => server.close());
    server.on('message', (message, from) => {
      const { id = 0, questions = [] } = decode(message);
      const answers = questions[0]?.type === 'A' ? [{ type: 'A' as const, name: HUB, data: '203.0.113.10' }] : [];
      server.send(encode({ type: 'response', id, questions, answers }), from.port, from.address);
    });
    const resolver = new TunnelResolver([LOCAL], [], sockets);
    assert.deepEqual(await resolver.lookup(HUB), [{ address: '203.0.113.10', family: 4 }]);
  });

  for (const [scheme, proxyScheme] of [['ws'], ['wss'], ['ws', 'http'], ['wss', 'http'], ['wss', 'https']] as const) {
    const by = proxyScheme === undefined ? '' : ` through a proxy of ${proxyScheme}`;
    it(`carry ${scheme}${by}`, TIMEOUT, async (t) => {
      const hub = await openHub(t, scheme === 'wss');
      const proxy = proxyScheme === undefined ? undefined : await openProxy(t, proxyScheme === 'https', hub);
      const asked: string[] = [];
      const environment = proxy === undefined ? {} : { ALL_PROXY: `${proxyScheme}://${PROXY}:${proxy}` };

      const webSocket = openWebSocket(`${scheme}://${HUB}:${hub}/carry`, environment, async (host) => {
        asked.push(host);
        return { host: LOCAL, fd: sockets.openTcp(LOCAL) };
      });
      t.after(() => webSocket.terminate());
      await once(webSocket, 'open');

      assert.deepEqual(asked, [proxy === undefined ? HUB : PROXY]);
      assert.match(connectionsTo('-t', proxy ?? hub), new RegExp(SHOWN));
    });
  }

  it('report a name that is not found', TIMEOUT, async () => {
    const notFound = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    const webSocket = openWebSocket(`ws://${HUB}/carry`, {}, () => Promise.reject(notFound));
    assert.deepEqual(await once(webSocket, 'error'), [notFound]);
  });
}

function connectionsTo(kind: string, port: number): string {
  return execFileSync('ss', [kind, '-e', '-n', '-H', `dport = :${port}`], { encoding: 'utf8' });
}

async function openHub(t: TestContext, isSecure: boolean): Promise<number> {
  const server = openServer(isSecure);
  const webSockets = new WebSocketServer({ server });
  t.after(() => webSockets.close());
  return await portOf(t, server.listen(0, LOCAL));
}

async function openProxy(t: TestContext, isSecure: boolean, hub: number): Promise<number> {
  const server = openServer(isSecure).on('connect', ({ url }, client, head) => {
    assert.equal(url, `${HUB}:${hub}`);
    const target = connect(hub, LOCAL, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on('error', () => {});
    t.after(() => target.destroy());
  });
  return await portOf(t, server.listen(0, LOCAL));
}

function openServer(isSecure: boolean): Server {
  if (!isSecure) return createServer();
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'; // the certificate is nobody's
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-marked-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const words = ['req', '-x509', '-days', '2', ...kind, '-keyout', key, '-out', cert, '-subj', `/CN=${HUB}`];
  execFileSync('openssl', words, { stdio: 'ignore' });
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) });
  rmSync(folder, { recursive: true });
  return server;
}

async function portOf(t: TestContext, server: ReturnType<typeof createTcpServer>): Promise<number> {
  t.after(() => server.close());
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
