import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';

import { DirectExit } from '../../../src/proxy/exits/direct-exit.js';
import { TunnelExit } from '../../../src/proxy/exits/tunnel-exit.js';
import { routeError } from '../../../src/proxy/rules/route-error.js';
import { LEFT, RIGHT } from '../../rootless/pair-of-hosts.js';
import { ProxyFixture } from '../proxy-fixture.js';

const NEVER = new AbortController().signal;

describe('the ways out of a proxy', { timeout: 60_000 }, () => {
  let fixture: ProxyFixture;
  before(async () => {
    fixture = await ProxyFixture.open();
  });
  after(() => fixture.close());

  it('connect to exactly the addresses that were checked, without a lookup', async () => {
    const inside = await fixture.serveInside((socket) => socket.end('inside'));
    const outside = await fixture.serveOutside((socket) => socket.end('outside'));
    const asked = fixture.asked.length;
    for (const [exit, address, port, answer] of [
      [fixture.tunnel, RIGHT[4], inside, 'inside'],
      [new DirectExit(), '127.0.0.1', outside, 'outside'],
    ] as const) {
      const addresses = [{ address, family: 4 }];
      const stream = await exit.connect({ host: 'rebinding.test', port, addresses }, NEVER);
      assert.equal(stream.remoteAddress, address);
      assert.equal(await text(stream), answer);
      stream.end();
    }
    assert.equal(fixture.asked.length, asked);
  });

  it('look a name up once for many connections, and use the family that is wanted', async () => {
    const before = fixture.asked.length;
    await Promise.all(
      Array.from({ length: 20 }, () => fixture.tunnel.lookup('web.internal', new AbortController().signal)),
    );
    assert.ok(fixture.asked.length - before <= 2, 'one question for each family');
    const only6 = new TunnelExit('wg0', fixture.pair.left, 'ipv6');
    await assert.rejects(only6.lookup('web.internal', NEVER), { code: 'ENOTFOUND' });
    const only4 = new TunnelExit('wg0', fixture.pair.left, 'ipv4');
    assert.deepEqual(await only4.lookup('web.internal', NEVER), [{ address: RIGHT[4], family: 4 }]);
    assert.deepEqual(await new DirectExit('ipv4').lookup('localhost', NEVER), [{ address: '127.0.0.1', family: 4 }]);
  });

  it('give up with the signal, during the lookup and during the connection', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const attempts = [
      fixture.tunnel.connect({ host: '10.9.0.77', port: 1 }, abort.signal),
      fixture.tunnel.lookup('web.internal', abort.signal),
    ];
    abort.abort(reason);
    for (const attempt of attempts) await assert.rejects(attempt, reason);
    await assert.rejects(fixture.tunnel.connect({ host: 'web.internal', port: 1 }, abort.signal), reason);
    assert.ok(fixture.pair.left.status().connections < 100);
  });

  it('fail with the codes of sockets, of which a sentence can be made', async () => {
    const to = { host: RIGHT[4], port: 9 };
    const error = await fixture.tunnel.connect(to, NEVER).catch((error: unknown) => error);
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    assert.equal(
      routeError(error, to, fixture.tunnel).message,
      '10.9.0.2:9 refused the connection through the tunnel wg0',
    );
  });

  it('explain silence: no peer for an address, or no session with the peer', () => {
    assert.match(fixture.tunnel.explainSilence('192.0.2.1') ?? '', /^no peer of the tunnel wg0 has 192\.0\.2\.1/);
    assert.equal(fixture.tunnel.explainSilence(RIGHT[4]), undefined);
    assert.equal(fixture.tunnel.explainSilence(undefined), undefined);
    const error = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' });
    const { failure, message } = routeError(error, { host: 'a.test', port: 80 }, fixture.tunnel, '192.0.2.1');
    assert.equal(failure, 'timed-out');
    assert.match(message, /^a\.test:80 did not answer in time through the tunnel wg0: no peer of the tunnel/);
  });

  it('take connections on their side', async () => {
    const streams: NodeJS.WritableStream[] = [];
    const server = await fixture.tunnel.listen({ host: '0.0.0.0', port: 0 }, (stream) =>
      streams.push(stream.end('hello')),
    );
    assert.equal(server.address, LEFT[4]);
    const client = fixture.pair.right.connect({ host: LEFT[4], port: server.port });
    assert.equal(await text(client), 'hello');
    server.close();

    const direct = await new DirectExit().listen({ host: '127.0.0.1', port: 0 }, (stream) => void stream.end('hello'));
    const local = connect(direct.port, '127.0.0.1');
    assert.equal(await text(local), 'hello');
    direct.close();
  });

  it('carry datagrams of both families', async () => {
    const echo = fixture.pair.right.createUdpSocket('udp4', (message, { port, address }) =>
      echo.send(message, port, address),
    );
    echo.bind(4_000);
    await once(echo, 'listening');
    for (const [exit, host, to] of [
      [fixture.tunnel, '0.0.0.0', RIGHT[4]],
      [fixture.tunnel, '::', RIGHT[6]],
    ] as const) {
      const port = await exit.openUdp({ host, port: 0 });
      const answer = new Promise((resolve) => {
        port.onMessage = (message, from) => resolve([Buffer.from(message).toString(), from.host]);
      });
      port.send(Buffer.from('there'), { host: to, port: 4_000 });
      assert.deepEqual(await answer, ['there', to]);
      port.close();
    }
    echo.close();
    const [a, b] = [
      await new DirectExit().openUdp({ host: '127.0.0.1', port: 0 }),
      await new DirectExit().openUdp({ host: '127.0.0.1', port: 0 }),
    ];
    const received = new Promise((resolve) => {
      b.onMessage = (_, from) => resolve(from.port);
    });
    a.send(Buffer.from('x'), { host: b.address, port: b.port });
    assert.equal(await received, a.port);
    a.send(Buffer.alloc(70_000), { host: b.address, port: b.port });
    a.close();
    b.close();
  });
});
