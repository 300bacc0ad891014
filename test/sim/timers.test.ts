import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import type { Simulation } from '../../src/sim/simulation.js';
import {
  A_OUTER,
  B_OUTER,
  type Couple,
  makeCouple,
  makeQuietCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
} from './couple.js';
import { scenario } from './scenario.js';
import {
  INITIATION_BYTES,
  KEEPALIVE_TIMEOUT_MS,
  MAX_JITTER_MS,
  REJECT_AFTER_TIME_MS,
  REKEY_AFTER_TIME_MS,
  REKEY_ATTEMPT_TIME_MS,
  REKEY_TIMEOUT_MS,
} from './whitepaper.js';

const HOUR_MS = 3_600_000;

describe('Handshake attempts', () => {
  scenario('repeat an unanswered initiation every REKEY_TIMEOUT plus up to 333 ms of jitter (§6.1, §6.4)', (world) => {
    const { a } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('lost'));
    world.advance(HOUR_MS);

    const times = world.network.eve.times('initiation');
    const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
    assert.ok(Math.min(...gaps) >= REKEY_TIMEOUT_MS, `${gaps}`);
    assert.ok(Math.max(...gaps) <= REKEY_TIMEOUT_MS + MAX_JITTER_MS, `${gaps}`);
    assert.ok(new Set(gaps).size > gaps.length / 2, `the jitter is random: ${gaps}`);
  });

  scenario('end after REKEY_ATTEMPT_TIME, which is 18 initiations, and drop what waited (§6.4)', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    const startMs = world.nowMs;
    a.sendPacket(packetFromA('lost'));
    world.advance(REKEY_ATTEMPT_TIME_MS + 10_000);
    assert.equal(bOfA.pendingHandshake, undefined, 'an answer that comes now is too late');
    world.advance(HOUR_MS);

    const times = world.network.eve.times('initiation');
    assert.equal(times.length, 18);
    assert.ok(times.at(-1)! - startMs < REKEY_ATTEMPT_TIME_MS);
    world.network.heal();
    world.advance(HOUR_MS);
    assert.equal(world.network.eve.total('transportData'), 0);
    assert.equal(a.device.nextDeadline(), Infinity);
  });

  scenario('begin anew, and last longer, when a packet is sent meanwhile (§6.4)', (world) => {
    const { a } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('first'));
    world.advance(60_000);
    const secondMs = world.nowMs;
    a.sendPacket(packetFromA('second'));
    world.advance(HOUR_MS);

    const last = world.network.eve.times('initiation').at(-1)!;
    assert.ok(last - secondMs > REKEY_ATTEMPT_TIME_MS - 2 * REKEY_TIMEOUT_MS, `${last - secondMs} ms later`);
    assert.ok(last - secondMs < REKEY_ATTEMPT_TIME_MS, `${last - secondMs} ms later`);
  });

  scenario('never send more than one initiation per REKEY_TIMEOUT to a peer, however much is sent (§6.1)', (world) => {
    const { a } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    for (let i = 0; i < 2_000; i++) {
      a.sendPacket(packetFromA(`${i}`));
      world.advance(25);
    }
    const times = world.network.eve.times('initiation');
    assert.ok(times.length >= 9, `${times}`);
    for (const [i, atMs] of times.slice(1).entries()) assert.ok(atMs - times[i]! >= REKEY_TIMEOUT_MS);
  });

  for (const [who, from] of [
    ['initiated', A_OUTER],
    ['answered', B_OUTER],
  ] as const) {
    scenario(`wait for REKEY_TIMEOUT also after a handshake that was ${who} and is done (§6.1)`, (world) => {
      const { a, b, bOfA, aOfB } = makeCouple(world);
      const startMs = world.nowMs;
      a.sendPacket(packetFromA('one'));
      world.advance(1_000);
      const { current } = (who === 'initiated' ? bOfA : aOfB).keypairs;
      current!.sendHigh = 2 ** 28; // REKEY_AFTER_MESSAGES
      if (who === 'initiated') a.sendPacket(packetFromA('two'));
      else b.sendPacket(packetFromB('two'));
      world.advance(20_000);
      const times = world.network.eve.times('initiation', from).filter((atMs) => atMs > startMs);
      assert.deepEqual(times, [startMs + REKEY_TIMEOUT_MS]);
    });
  }
});

describe('Unanswered data', () => {
  scenario('starts a handshake KEEPALIVE_TIMEOUT + REKEY_TIMEOUT after the first of it (§6.5)', (world) => {
    const { a } = makeQuietCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    const startMs = world.nowMs;
    for (let i = 0; i < 14; i++) {
      a.sendPacket(packetFromA('unheard'));
      world.advance(1_000);
    }
    world.advance(10_000);

    const afterMs = world.network.eve.times('initiation')[0]! - startMs;
    const expectedMs = KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS;
    assert.ok(afterMs >= expectedMs && afterMs <= expectedMs + MAX_JITTER_MS, `${afterMs} ms`);
  });

  scenario('starts none when anything authentic came back, a keepalive will do (§6.5)', (world) => {
    const { a } = makeQuietCouple(world);
    a.sendPacket(packetFromA('heard'));
    world.advance(100_000);
    assert.deepEqual(world.network.eve.times('initiation'), []);
  });

  scenario('counts data only: a keepalive needs no answer (§6.5)', (world) => {
    const couple = makeQuietCouple(world);
    world.network.partitionOneWay(B_OUTER, A_OUTER);
    couple.b.sendPacket(packetFromB('lost')); // B waits for an answer, A owes nothing
    world.network.heal();
    world.network.partition(A_OUTER, B_OUTER);
    world.advance(14_000);
    assert.deepEqual(world.network.eve.times('initiation', A_OUTER), []);
  });
});

describe('Rekeying', () => {
  scenario('is started by the initiator with the first packet it sends after REKEY_AFTER_TIME (§6.2)', (world) => {
    const { b } = makeSteadyCouple(world, 1_000);
    const startMs = sessionStart(world);
    world.advance(2 * REKEY_AFTER_TIME_MS);

    const [first, second] = world.network.eve.times('initiation');
    assert.ok(first! - startMs >= REKEY_AFTER_TIME_MS && first! - startMs <= REKEY_AFTER_TIME_MS + 1_000);
    assert.ok(second === undefined || second - first! >= REKEY_AFTER_TIME_MS);
    assert.deepEqual(world.network.eve.times('initiation', B_OUTER), [], 'the responder never');
    assert.deepEqual(
      receivedTexts(b),
      receivedTexts(b).map((_, i) => `${i}`),
      'nothing is lost',
    );
  });

  scenario('is not started by the responder by age, even when only the responder sends data (§6.2)', (world) => {
    const { b } = makeQuietCouple(world);
    const startMs = sessionStart(world);
    let initiations = 0;
    world.network.interceptor = (datagram) => {
      if (datagram.bytes[0] !== 1) return [datagram];
      initiations += Number(datagram.from.address === B_OUTER);
      return [];
    };
    while (world.nowMs < startMs + REKEY_AFTER_TIME_MS + KEEPALIVE_TIMEOUT_MS) {
      b.sendPacket(packetFromB('again'));
      world.advance(1_000);
    }
    assert.equal(initiations, 0);
  });

  scenario('is started by the initiator when it hears from the other side 165 s into the session (§6.2)', (world) => {
    makeListeningCouple(world);
    const startMs = sessionStart(world);
    world.advance(startMs + 300_000 - world.nowMs);
    const times = world.network.eve.times('initiation');
    assert.equal(times.length, 1);
    const afterMs = times[0]! - startMs;
    assert.ok(afterMs >= 165_000 && afterMs <= 166_000, `${afterMs} ms`);
    assert.equal(world.network.eve.seen('initiation', A_OUTER).length, 1);
  });

  scenario('is asked for once at the end of a session, not with every message that comes (§6.2)', (world) => {
    makeListeningCouple(world);
    const startMs = sessionStart(world);
    world.advance(startMs + 160_000 - world.nowMs);
    world.network.partitionOneWay(A_OUTER, B_OUTER);
    world.advance(HOUR_MS);
    const lastMs = world.network.eve.times('initiation', A_OUTER).at(-1)! - startMs;
    assert.ok(lastMs < 166_000 + REKEY_ATTEMPT_TIME_MS, `the attempt goes on until ${lastMs} ms`);
  });

  scenario('keeps the session when idle: no handshake before there is something to send (§6.2)', (world) => {
    const { a, b } = makeQuietCouple(world);
    world.advance(HOUR_MS);
    assert.equal(world.network.eve.times('initiation').length, 0);

    a.sendPacket(packetFromA('at last'));
    world.advance(1_000);
    assert.deepEqual(receivedTexts(b), ['at last']);
    assert.equal(world.network.eve.last('initiation').bytes.length, INITIATION_BYTES);
  });
});

describe('The end of a session', () => {
  scenario('comes REJECT_AFTER_TIME after it began: nothing is sealed under it any more (§6.2)', (world) => {
    for (const [afterMs, isSealed] of [
      [REJECT_AFTER_TIME_MS - 1, true],
      [REJECT_AFTER_TIME_MS, false],
    ] as const) {
      const couple = makeQuietCouple(world);
      world.network.interceptor = (datagram) => (datagram.bytes[0] === 1 ? [] : [datagram]);
      world.advance(sessionStart(world) + afterMs - world.nowMs);
      couple.b.sendPacket(packetFromB('late'));
      world.advance(0);
      assert.equal(receivedTexts(couple.a).includes('late'), isSealed, `${afterMs} ms`);
      dissolve(world, couple);
    }
  });

  scenario('is the same for what is received: an old message is refused (§6.2)', (world) => {
    for (const [afterMs, isOpened] of [
      [REJECT_AFTER_TIME_MS - 1, true],
      [REJECT_AFTER_TIME_MS, false],
    ] as const) {
      const couple = makeQuietCouple(world);
      world.network.setConditions({ delayMs: sessionStart(world) + afterMs - world.nowMs });
      couple.a.sendPacket(packetFromA('slow'));
      world.advance(sessionStart(world) + afterMs - world.nowMs);
      assert.equal(receivedTexts(couple.b).includes('slow'), isOpened, `${afterMs} ms`);
      const refused = isOpened ? 0 : 1;
      assert.equal(couple.aOfB.counters.verdicts[Verdict.KeypairExpired], refused);
      assert.equal(couple.b.device.counters.verdicts[Verdict.KeypairExpired], refused);
      world.network.setConditions({});
      dissolve(world, couple);
    }
  });

  scenario('wipes all keys 3 × REJECT_AFTER_TIME after the last one began (§6.3)', (world) => {
    const { a, b } = makeQuietCouple(world);
    const startMs = sessionStart(world);
    world.advance(startMs + 3 * REJECT_AFTER_TIME_MS - 1 - world.nowMs);
    assert.deepEqual([a.aead.liveSlots, b.aead.liveSlots], [1, 1]);
    world.advance(1);
    assert.deepEqual([a.aead.liveSlots, b.aead.liveSlots], [0, 0]);
  });

  scenario('also wipes what an attempt without an answer left behind (§6.3)', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('lost'));
    world.advance(HOUR_MS);
    assert.equal(bOfA.pendingHandshake, undefined);
    assert.equal(a.device.nextDeadline(), Infinity);
  });
});

/** B sends nothing but keepalives, which A, the initiator, does not answer. */
function makeListeningCouple(world: Simulation): Couple {
  const couple = makeQuietCouple(world);
  couple.b.setPeer(couple.aPublic, { persistentKeepaliveSeconds: 1 });
  return couple;
}

/** A sends a packet at every interval, and counts. */
function makeSteadyCouple(world: Simulation, intervalMs: number): Couple {
  const couple = makeQuietCouple(world);
  let count = 0;
  const tick = (): void => {
    couple.a.sendPacket(packetFromA(`${count++}`));
    world.after(intervalMs, tick);
  };
  tick();
  return couple;
}

/** When the last handshake was completed; all couples of this file have a network without delay. */
function sessionStart(world: Simulation): number {
  return world.nowMs - (world.nodes.at(-1)!.wallClock.unixMs - lastHandshakeMs(world));
}

function lastHandshakeMs(world: Simulation): number {
  return Math.max(...[...world.nodes.at(-1)!.device.peers].map((peer) => peer.lastHandshakeUnixMs));
}

/** Removes the couple's nodes from the network, so that the next can take their addresses. */
function dissolve(world: Simulation, { a, b }: Couple): void {
  world.network.interceptor = undefined;
  for (const node of [a, b]) {
    node.setLinkUp(false);
    node.host.addresses = [];
  }
  world.network.eve.clear();
}
