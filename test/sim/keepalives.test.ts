import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Simulation } from '../../src/sim/simulation.js';
import {
  A_OUTER,
  B_OUTER,
  type Couple,
  forget,
  makeConnectedCouple,
  makeCouple,
  makeQuietCouple,
  packetFromA,
  packetFromB,
} from './couple.js';
import { scenario } from './scenario.js';
import { KEEPALIVE_BYTES, KEEPALIVE_TIMEOUT_MS, REKEY_AFTER_TIME_MS } from './whitepaper.js';

const HOUR_MS = 3_600_000;

describe('Passive keepalives', () => {
  scenario('answer data after KEEPALIVE_TIMEOUT when nothing else was sent (§6.5)', (world) => {
    const couple = makeConnectedCouple(world);
    world.advance(HOUR_MS);
    forget(world, couple);
    // a new session, so that nothing is pending from before
    const startMs = reconnect(world, couple);
    assert.deepEqual(world.network.eve.times('transportData', B_OUTER), [startMs + KEEPALIVE_TIMEOUT_MS]);
    assert.equal(world.network.eve.last('transportData', B_OUTER).bytes.length, KEEPALIVE_BYTES);
  });

  scenario('come a second time when data came while the first was pending (§6.5)', (world) => {
    const { a } = makeQuietCouple(world);
    const startMs = world.nowMs;
    a.sendPacket(packetFromA('one'));
    world.advance(5_000);
    a.sendPacket(packetFromA('two'));
    world.advance(100_000);

    assert.deepEqual(
      keepaliveTimes(world, B_OUTER).map((atMs) => atMs - startMs),
      [KEEPALIVE_TIMEOUT_MS, 2 * KEEPALIVE_TIMEOUT_MS],
    );
  });

  scenario('are not sent when data went back in time (§6.5)', (world) => {
    const { a, b } = makeQuietCouple(world);
    const startMs = world.nowMs;
    a.sendPacket(packetFromA('one'));
    world.advance(KEEPALIVE_TIMEOUT_MS - 1);
    b.sendPacket(packetFromB('two'));
    world.advance(HOUR_MS);

    assert.deepEqual(keepaliveTimes(world, B_OUTER), []);
    assert.deepEqual(keepaliveTimes(world, A_OUTER), [startMs + 2 * KEEPALIVE_TIMEOUT_MS - 1]);
  });

  scenario('never answer keepalives: two idle peers fall silent (§6.5)', (world) => {
    const { a, b } = makeQuietCouple(world);
    a.sendPacket(packetFromA('one'));
    b.sendPacket(packetFromB('two'));
    world.advance(HOUR_MS);

    assert.deepEqual([keepaliveTimes(world, A_OUTER).length, keepaliveTimes(world, B_OUTER).length], [1, 1]);
    assert.deepEqual([a.device.nextDeadline(), b.device.nextDeadline()], [Infinity, Infinity]);
  });
});

describe('Persistent keepalives', () => {
  scenario('are sent at their interval while nothing else is, and only then (§6.5)', (world) => {
    const { a, b } = makeConnectedCouple(world, { aboutB: { persistentKeepaliveSeconds: 25 } });
    world.advance(60_000);
    world.network.eve.clear();

    const startMs = world.nowMs;
    for (let i = 0; i < 6; i++) {
      a.sendPacket(packetFromA('busy'));
      world.advance(10_000);
    }
    assert.deepEqual(keepaliveTimes(world, A_OUTER), [], 'busy');
    const lastSentMs = startMs + 50_000;
    world.advance(100_000);
    const times = keepaliveTimes(world, A_OUTER).map((atMs) => atMs - lastSentMs);
    assert.equal(times.length >= 4, true, `${times}`);
    for (const [i, atMs] of times.slice(1).entries()) assert.ok(atMs - times[i]! <= 25_000);
    assert.ok(b.wakeUps > 0);
  });

  scenario('are put off by what is received as well as by what is sent (§6.5)', (world) => {
    const { b } = makeConnectedCouple(world, { aboutB: { persistentKeepaliveSeconds: 8 } });
    world.advance(30_000);
    world.network.eve.clear();
    for (let i = 0; i < 3; i++) {
      b.sendPacket(packetFromB('busy'));
      world.advance(4_000);
    }
    assert.deepEqual(
      keepaliveTimes(world, A_OUTER).length,
      1,
      'the passive one for the data, none of the persistent ones',
    );
  });

  scenario('keep a session alive for ever, and start one where there is none (§6.5)', (world) => {
    const { bOfA, b } = makeCouple(world, { aboutB: { persistentKeepaliveSeconds: 25 } });
    world.advance(HOUR_MS);
    assert.ok(bOfA.lastHandshakeUnixMs > b.wallClock.unixMs - 2 * REKEY_AFTER_TIME_MS);
    const initiations = world.network.eve.times('initiation').length;
    assert.ok(initiations >= 24 && initiations <= 31, `${initiations} handshakes in an hour`);
    assert.equal(world.network.eve.seen('initiation', B_OUTER).length, 0);
  });

  scenario(
    'are silent while the link is down for 6 s, and begin with an initiation when it is up (kernel)',
    (world) => {
      const { a, bPublic } = makeConnectedCouple(world);
      a.setPeer(bPublic, { persistentKeepaliveSeconds: 3 });
      world.advance(10_000);
      world.network.eve.clear();
      a.setLinkUp(false);
      world.advance(6_000);
      assert.equal(
        world.network.eve.observations.filter(({ datagram }) => datagram.from.address === A_OUTER).length,
        0,
      );
      a.setLinkUp(true);
      world.advance(0);
      assert.equal(world.network.eve.times('initiation', A_OUTER).length, 1);
    },
  );

  scenario('stop when they are switched off, and start at once when switched on (§6.5)', (world) => {
    const { a, bPublic } = makeQuietCouple(world);
    a.setPeer(bPublic, { persistentKeepaliveSeconds: 10 });
    assert.deepEqual(keepaliveTimes(world, A_OUTER), [world.nowMs]);
    world.advance(35_000);
    assert.equal(keepaliveTimes(world, A_OUTER).length, 4);

    a.setPeer(bPublic, { persistentKeepaliveSeconds: 0 });
    world.advance(HOUR_MS);
    assert.equal(keepaliveTimes(world, A_OUTER).length, 4);
    assert.equal(a.device.nextDeadline(), Infinity);
  });
});

/** Starts a session by a packet from A, and lets it come to rest. @returns When. */
function reconnect(world: Simulation, { a }: Couple): number {
  const startMs = world.nowMs;
  a.sendPacket(packetFromA('again'));
  world.advance(HOUR_MS);
  return startMs;
}

function keepaliveTimes(world: Simulation, from: string): number[] {
  return world.network.eve
    .seen('transportData', from)
    .filter(({ datagram }) => datagram.bytes.length === KEEPALIVE_BYTES)
    .map(({ atMs }) => atMs);
}
