import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { beforeEach, describe, it } from 'node:test';

import fc from 'fast-check';

import type { Destination, Exit, ExitUdpPort } from '../../../src/proxy/exit.js';
import { RouteError } from '../../../src/proxy/rules/route-error.js';
import { ProxyCounters } from '../../../src/proxy/server/proxy-counters.js';
import { UdpAssociation } from '../../../src/proxy/socks/udp-association.js';
import { formatDatagramHeader, parseDatagram } from '../../../src/proxy/socks/udp-datagram.js';

const MAX_FLOWS = 1_024;
const MAX_WAITING = 64;
const IDLE_MS = 300_000;

describe('the datagrams of a SOCKS client (RFC 1928 §7)', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = new Lab();
  });

  it('go out by one port for all destinations, and answers come back with the address they are from', async () => {
    lab.send('192.0.2.1', 53, 'one');
    lab.send('192.0.2.2', 53, 'two');
    await settled();
    assert.equal(lab.ports.length, 1);
    assert.deepEqual(lab.ports[0]!.sent, ['192.0.2.1:53 one', '192.0.2.2:53 two']);

    lab.ports[0]!.receive('192.0.2.2', 54, 'answer');
    const answer = parseDatagram(lab.replies[0]!)!;
    assert.deepEqual(answer.destination, { host: '192.0.2.2', port: 54 });
    assert.equal(Buffer.from(answer.payload).toString(), 'answer');
  });

  it('come back only from addresses to which the client has sent (RFC 4787 §5)', async () => {
    lab.send('192.0.2.1', 53, 'one');
    await settled();
    lab.ports[0]!.receive('192.0.2.9', 53, 'stranger');
    assert.equal(lab.replies.length, 0);
    assert.equal(lab.counters.datagrams.dropped.foreign, 1);
  });

  it('are dropped and counted where they are fragments, malformed, blocked, or lead to a name that is not found', async () => {
    lab.association.take(Uint8Array.of(0, 0, 1, 1, 192, 0, 2, 1, 0, 53, 1));
    lab.association.take(Uint8Array.of(0, 0, 0, 7));
    lab.association.take(Uint8Array.of(0, 0, 0, 1, 192, 0, 2, 1, 0, 0));
    lab.send('blocked.test', 53, 'x');
    lab.send('missing.test', 53, 'x');
    await settled();
    lab.send('blocked.test', 53, 'again');
    const { fragment, malformed, blocked, unresolved } = lab.counters.datagrams.dropped;
    assert.deepEqual([fragment, malformed, blocked, unresolved], [1, 2, 2, 1]);
    assert.equal(lab.routed.length, 2);
  });

  it('wait for the lookup of their name in a bounded queue, and keep their order', async () => {
    for (let i = 0; i < MAX_WAITING + 10; i++) lab.send('name.test', 53, `${i}`);
    await settled();
    assert.equal(lab.ports[0]!.sent.length, MAX_WAITING);
    assert.equal(lab.ports[0]!.sent[1], '198.51.100.1:53 1');
    assert.equal(lab.counters.datagrams.dropped.full, 10);
    assert.deepEqual(lab.routed, ['name.test']);
  });

  it('belong to a bounded number of flows: the one that is idle for longest makes room', async () => {
    for (let i = 0; i < MAX_FLOWS + 1; i++) {
      lab.send(`10.0.${i >> 8}.${i & 255}`, 53, 'x');
      await settled();
    }
    assert.equal(lab.association.flowCount, MAX_FLOWS);
    assert.equal(lab.counters.datagrams.flows, MAX_FLOWS);
    lab.ports[0]!.receive('10.0.0.0', 53, 'late');
    assert.equal(lab.replies.length, 0);
    lab.ports[0]!.receive('10.0.0.1', 53, 'in time');
    assert.equal(lab.replies.length, 1);
  });

  it('keep the way back open for five minutes after the last one (RFC 4787 §4.3)', async () => {
    lab.send('192.0.2.1', 53, 'x');
    lab.send('192.0.2.1', 54, 'x');
    await settled();
    lab.nowMs = IDLE_MS - 1;
    lab.send('192.0.2.1', 53, 'x');
    lab.nowMs = IDLE_MS;
    lab.association.expire();
    assert.equal(lab.association.flowCount, 1);
    lab.ports[0]!.receive('192.0.2.1', 1_000, 'x');
    assert.equal(lab.replies.length, 1);
    lab.nowMs = 3 * IDLE_MS;
    lab.association.expire();
    assert.equal(lab.association.flowCount, 0);
    lab.ports[0]!.receive('192.0.2.1', 53, 'x');
    assert.equal(lab.replies.length, 1);
  });

  it('leave no port behind when the association ends, also while a port is being opened', async () => {
    lab.send('192.0.2.1', 53, 'x');
    await settled();
    lab.send('2001:db8::1', 53, 'x');
    lab.association.close();
    await settled();
    assert.ok(lab.ports.length >= 1 && lab.ports.every(({ isClosed }) => isClosed));
    assert.equal(lab.counters.datagrams.flows, 0);
    lab.ports[0]!.receive('192.0.2.1', 53, 'late');
    assert.equal(lab.replies.length, 0);
  });

  it('may be arbitrary bytes', async () => {
    const header = fc.constantFrom([], [0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 3], [0, 0, 0, 4], [0, 0, 1, 1]);
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 64 }), (begin, rest) => {
        lab.association.take(Uint8Array.from([...begin, ...rest]));
        assert.ok(lab.association.flowCount <= MAX_FLOWS);
      }),
      { numRuns: 3_000 },
    );
    await settled();
  });

  it('have a header that is read as it was written', () => {
    const host = fc.oneof(fc.ipV4(), fc.constant('2001:db8::7'));
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), fc.uint8Array(), (host, port, payload) => {
        const parsed = parseDatagram(Buffer.concat([formatDatagramHeader({ host, port }), payload]))!;
        assert.deepEqual([parsed.fragment, parsed.destination], [0, { host, port }]);
        assert.deepEqual(Buffer.from(parsed.payload), Buffer.from(payload));
      }),
    );
  });
});

class FakePort implements ExitUdpPort {
  readonly address = '0.0.0.0';
  readonly port = 40_000;
  readonly sent: string[] = [];
  isClosed = false;
  onMessage: ExitUdpPort['onMessage'] = () => {};

  send(message: Uint8Array, { host, port }: Destination): void {
    this.sent.push(`${host}:${port} ${Buffer.from(message).toString()}`);
  }

  receive(host: string, port: number, text: string): void {
    this.onMessage(Buffer.from(text), { host, port });
  }

  close(): void {
    this.isClosed = true;
  }
}

class Lab {
  nowMs = 0;
  readonly ports: FakePort[] = [];
  readonly replies: Uint8Array[] = [];
  readonly routed: string[] = [];
  readonly counters = new ProxyCounters();
  readonly #exit = { openUdp: async () => this.#openPort() } as unknown as Exit;
  readonly association = new UdpAssociation({
    counters: this.counters,
    nowMs: () => this.nowMs,
    reply: (header, payload) => this.replies.push(Buffer.concat([header, payload])),
    route: async (to) => {
      this.routed.push(to.host);
      if (to.host.startsWith('blocked')) throw new RouteError('blocked', 'blocked');
      if (isIP(to.host) === 0 && to.host !== 'name.test') throw new RouteError('name-not-found', 'missing');
      const address = to.host === 'name.test' ? '198.51.100.1' : to.host;
      return { exit: this.#exit, port: to.port, addresses: [{ address, family: isIP(address) }] };
    },
  });

  send(host: string, port: number, text: string): void {
    const isName = /[a-z]/.test(host) && !host.includes(':');
    const header = isName
      ? Buffer.from([0, 0, 0, 3, host.length, ...Buffer.from(host), port >> 8, port & 0xff])
      : formatDatagramHeader({ host, port });
    this.association.take(Buffer.concat([header, Buffer.from(text)]));
  }

  #openPort(): FakePort {
    const port = new FakePort();
    this.ports.push(port);
    return port;
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
