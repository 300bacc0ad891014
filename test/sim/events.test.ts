import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { DeviceEvents } from '../../src/core/device-events.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { A_OUTER, B_OUTER, makeConnectedCouple, makeCouple, packetFromA, packetFromB } from './couple.js';
import { flood } from './flood.js';
import { scenario } from './scenario.js';

const CAPACITY = 1_024;

describe('The events of a device', () => {
  scenario('name a handshake on both sides, each with its peer and time', (world) => {
    const { a, b, bOfA, aOfB } = makeCouple(world);
    world.network.setConditions({ delayMs: 10 });
    a.sendPacket(packetFromA('hello'));
    const startMs = world.nowMs;
    world.advance(1_000);
    assert.deepEqual(a.device.events.drain(), [{ kind: 'handshake', peer: bOfA, nowMs: startMs + 20 }]);
    assert.deepEqual(b.device.events.drain(), [{ kind: 'handshake', peer: aOfB, nowMs: startMs + 30 }]);
    assert.deepEqual(kinds(a), []);
  });

  scenario(
    'name a peer that roamed, once, and not when its endpoint is learned or only the source changes',
    (world) => {
      const { a, b } = makeConnectedCouple(world);
      assert.deepEqual(kinds(b), ['handshake']);
      a.host.addresses = ['203.0.113.7'];
      for (let i = 0; i < 3; i++) a.sendPacket(packetFromA(`${i}`));
      world.advance(0);
      assert.deepEqual(kinds(b), ['roamed']);
      b.device.forgetSources(() => true);
      a.sendPacket(packetFromA('from there again'));
      world.advance(0);
      assert.deepEqual(kinds(b), []);
    },
  );

  scenario('name a handshake that was given up, and a session whose keys were wiped', (world) => {
    const { a } = makeConnectedCouple(world);
    kinds(a);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('lost'));
    world.advance(600_000);
    assert.deepEqual(kinds(a), ['gave-up', 'session-ended']);
  });

  scenario('name the end of a session by link down and by removal, but not the end of the device', (world) => {
    const { a, b, bPublic } = makeConnectedCouple(world);
    kinds(a);
    a.setLinkUp(false);
    a.setLinkUp(true);
    assert.deepEqual(kinds(a), ['session-ended']);
    a.sendPacket(packetFromA('again'));
    world.advance(10);
    a.removePeer(bPublic);
    assert.deepEqual(kinds(a), ['handshake', 'session-ended']);
    kinds(b);
    b.device.close();
    assert.deepEqual(kinds(b), []);
  });

  scenario('name the moment at which the device comes under load, once', (world) => {
    const { b } = makeConnectedCouple(world);
    kinds(b);
    for (let i = 0; i < 3; i++) flood(world, b, b.device.publicKey!);
    assert.deepEqual(kinds(b), ['under-load']);
  });

  scenario('are bounded: the oldest are dropped and counted when nobody drains them', (world) => {
    const { b, aOfB } = makeConnectedCouple(world);
    kinds(b);
    for (let i = 0; i < CAPACITY + 5; i++) b.device.events.push('roamed', aOfB, i);
    assert.equal(b.device.events.dropped, 5);
    const events = b.device.events.drain();
    assert.deepEqual([events.length, events[0]!.nowMs, events.at(-1)!.nowMs], [CAPACITY, 5, CAPACITY + 4]);
    b.sendPacket(packetFromB('goes on'));
  });
});

describe('DeviceEvents', () => {
  it('keeps order over many rounds of writing and draining', () => {
    const events = new DeviceEvents();
    let next = 0;
    for (let round = 0; round < 50; round++) {
      const from = next;
      for (let i = 0; i < 100; i++) events.push('handshake', undefined, next++);
      assert.deepEqual(
        events.drain().map(({ nowMs }) => nowMs),
        Array.from({ length: 100 }, (_, i) => from + i),
      );
    }
    assert.equal(events.dropped, 0);
  });
});

function kinds(node: TunnelNode): string[] {
  return node.device.events.drain().map(({ kind }) => kind);
}
