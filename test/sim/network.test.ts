import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Datagram } from '../../src/sim/datagram.js';
import { EventQueue } from '../../src/sim/event-queue.js';
import { Host } from '../../src/sim/host.js';
import { Network } from '../../src/sim/network.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';
import { SocketAddress } from '../../src/sim/socket-address.js';

const HERE = '192.0.2.1';
const THERE = '192.0.2.2';
const PORT = 1_000;

describe('Network', () => {
  it('brings what was sent, after the delay, with addresses and traffic class', () => {
    const { events, network, host, arrived } = makeWorld();
    network.setConditions({ delayMs: 30 });

    host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(1, 2), trafficClass: 0xb8 });
    events.runUntil(29);
    assert.equal(arrived.length, 0);
    events.runUntil(30);

    assert.deepEqual(arrived, [
      {
        from: new SocketAddress(HERE, 7),
        to: new SocketAddress(THERE, PORT),
        bytes: Uint8Array.of(1, 2),
        trafficClass: 0xb8,
      },
    ]);
  });

  it('keeps IPv4 and IPv6 apart: a host without an address of the family sends nothing', () => {
    const { events, host, arrived } = makeWorld();
    host.send({ port: 7, to: new SocketAddress('2001:db8::2', PORT), bytes: Uint8Array.of(1) });
    events.runUntil(1_000);
    assert.deepEqual({ arrived: arrived.length, unsent: host.unsentDatagrams }, { arrived: 0, unsent: 1 });
  });

  it('sends from the address that is asked for, as long as the host has it', () => {
    const { events, network, host, arrived } = makeWorld();
    host.addresses = [HERE, '192.0.2.11'];
    const datagram = { port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(1), source: '192.0.2.11' };

    host.send(datagram);
    host.addresses = [HERE];
    host.send(datagram);
    events.runUntil(0);

    assert.deepEqual(
      arrived.map(({ from }) => from.address),
      ['192.0.2.11', HERE],
    );
    assert.equal(network.eve.totalDatagrams, 2);
  });

  for (const [what, conditions, isExpected] of [
    ['loses', { lossRate: 0.25 }, (count: number) => count > 700 && count < 800],
    ['doubles', { duplicationRate: 0.25 }, (count: number) => count > 1_200 && count < 1_300],
  ] as const) {
    it(`${what} as many datagrams as it is told, the same ones on every run`, () => {
      const first = sendThousand(conditions);
      assert.ok(isExpected(first.length), `${first.length} arrived`);
      assert.deepEqual(sendThousand(conditions), first);
    });
  }

  it('reorders by jitter, and by holding some back', () => {
    for (const conditions of [{ jitterMs: 20 }, { reorderRate: 0.1, reorderDelayMs: 15 }]) {
      const order = sendThousand(conditions).map((bytes) => (bytes[0]! << 8) | bytes[1]!);
      assert.equal(order.length, 1_000);
      assert.notDeepEqual(
        order,
        order.toSorted((x, y) => x - y),
      );
    }
  });

  it('flips one bit of what it corrupts, and leaves the sender’s copy alone', () => {
    const { events, network, host, arrived } = makeWorld();
    network.setConditions({ corruptionRate: 1 });
    const bytes = new Uint8Array(100);

    for (let i = 0; i < 50; i++) host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes });
    events.runUntil(0);

    for (const datagram of arrived) assert.equal(countBits(datagram.bytes), 1);
    assert.equal(countBits(bytes), 0);
  });

  it('loses everything between parted addresses until they are healed', () => {
    const { events, network, host, arrived } = makeWorld();
    const datagram = { port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(1) };

    network.partition(HERE, THERE);
    host.send(datagram);
    network.heal();
    host.send(datagram);
    events.runUntil(0);

    assert.equal(arrived.length, 1);
    assert.deepEqual(
      network.eve.observations.map(({ fate }) => fate),
      ['partitioned', 'sent'],
    );
  });

  it('lets an interceptor change, drop and add what travels', () => {
    const { events, network, host, arrived } = makeWorld();
    network.interceptor = (datagram) =>
      datagram.bytes[0] === 1 ? [] : [datagram, { ...datagram, bytes: Uint8Array.of(9) }];

    for (const byte of [1, 2]) host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(byte) });
    events.runUntil(0);
    assert.deepEqual(
      arrived.map(({ bytes }) => bytes[0]),
      [2, 9],
    );
  });

  it('brings a datagram to whoever holds the address when it arrives', () => {
    const { events, network, host, there } = makeWorld();
    network.setConditions({ delayMs: 10 });
    host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(1) });
    there.addresses = [];
    const heir = new Host('heir', network, [THERE]);

    events.runUntil(10);
    assert.equal(heir.refusedDatagrams, 1);
  });

  it('remembers the last observations only, and counts all', () => {
    const { events, network, host } = makeWorld();
    network.eve.maxObservations = 10;
    for (let i = 0; i < 100; i++) host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(4) });
    events.runUntil(0);

    assert.ok(network.eve.observations.length <= 20);
    assert.deepEqual([network.eve.totalDatagrams, network.eve.total('transportData')], [100, 100]);
  });
});

function makeWorld(seed = 1): {
  events: EventQueue;
  network: Network;
  host: Host;
  there: Host;
  arrived: Datagram[];
} {
  const events = new EventQueue(0);
  const network = new Network('net', events, new SeededRandom(seed));
  const host = new Host('here', network, [HERE]);
  const there = new Host('there', network, [THERE]);
  const arrived: Datagram[] = [];
  there.listen(PORT, (datagram) => arrived.push(datagram));
  return { events, network, host, there, arrived };
}

function sendThousand(conditions: Parameters<Network['setConditions']>[0]): Uint8Array[] {
  const { events, network, host, arrived } = makeWorld();
  network.setConditions(conditions);
  for (let i = 0; i < 1_000; i++) {
    host.send({ port: 7, to: new SocketAddress(THERE, PORT), bytes: Uint8Array.of(i >> 8, i) });
    events.runUntil(i);
  }
  events.runUntil(2_000);
  return arrived.map(({ bytes }) => bytes);
}

function countBits(bytes: Uint8Array): number {
  return bytes.reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0);
}
