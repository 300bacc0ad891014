import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import { Simulation } from '../../src/sim/simulation.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import {
  A_INNER,
  A_OUTER,
  B_INNER,
  B_OUTER,
  type Couple,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
} from './couple.js';
import { ipPacket, packetPayload } from './ip-packet.js';
import { scenario } from './scenario.js';
import { KEEPALIVE_BYTES, REJECT_AFTER_TIME_MS, REKEY_AFTER_TIME_MS } from './whitepaper.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('A day', () => {
  scenario(
    'of traffic in both directions loses no packet, through all its rekeys, and uses no nonce twice (§5.4.6, §6.2)',
    (world) => {
      const { a, b } = makeConnectedCouple(world);
      world.network.setConditions({ delayMs: 15, jitterMs: 4 });
      const there = countedTraffic(world, a, b, A_INNER, B_INNER);
      const back = countedTraffic(world, b, a, B_INNER, A_INNER);
      world.advance(DAY_MS);
      there.stop();
      back.stop();
      world.advance(HOUR_MS);

      assert.deepEqual([there.missing(), back.missing()], [0, 0]);
      assert.ok(there.sent > 30_000 && back.sent > 30_000, `${there.sent} and ${back.sent} packets`);
      const handshakes = world.network.eve.total('response');
      const sessions = DAY_MS / REKEY_AFTER_TIME_MS;
      assert.ok(handshakes > 0.6 * sessions && handshakes <= sessions + 1, `${handshakes} handshakes`);
      assert.ok(world.ledger.sealedMessages >= there.sent + back.sent);
      assert.deepEqual([world.ledger.gaps, world.ledger.keyCount], [0, 2 * handshakes]);
      assert.deepEqual([a.aead.liveSlots, b.aead.liveSlots], [0, 0]);
    },
    { isSwift: true },
  );

  scenario(
    'on a bad network loses what the network loses and no more (§6.4)',
    (world) => {
      const couple = makeConnectedCouple(world);
      const { a, b } = couple;
      world.network.setConditions({
        delayMs: 40,
        jitterMs: 30,
        lossRate: 0.02,
        duplicationRate: 0.02,
        reorderRate: 0.02,
        reorderDelayMs: 120,
        corruptionRate: 0.01,
      });
      const there = countedTraffic(world, a, b, A_INNER, B_INNER);
      const back = countedTraffic(world, b, a, B_INNER, A_INNER);
      world.advance(DAY_MS / 2);
      there.stop();
      back.stop();
      world.advance(HOUR_MS);

      for (const flow of [there, back]) {
        const rate = flow.missing() / flow.sent;
        assert.ok(rate > 0.02 && rate < 0.036, `${(100 * rate).toFixed(2)} % of ${flow.sent} are missing`);
        assert.equal(flow.doubled, 0, 'duplicates are refused');
      }
      for (const node of [a, b]) {
        assert.ok(node.device.counters.verdicts[Verdict.Replayed]! > 100);
        assert.equal(node.device.counters.verdicts[Verdict.StagedOverflow], 0);
      }
      assert.equal(world.ledger.gaps, 0);
    },
    { isSwift: true },
  );

  scenario(
    'with partitions of any length: every packet that is missing was sent into one, or waited too long (§6.4)',
    (world) => {
      const { a, b } = makeConnectedCouple(world);
      world.network.setConditions({ delayMs: 20 });
      const there = countedTraffic(world, a, b, A_INNER, B_INNER);
      let partedMs = 0;
      for (let i = 0; i < 60; i++) {
        world.advance(300_000 + world.random.integer(300_000));
        const lengthMs = world.random.integer(120_000);
        world.network.partition(A_OUTER, B_OUTER);
        world.advance(lengthMs);
        world.network.heal();
        partedMs += lengthMs + 40_000; // 15 s to notice, two attempts to come back, and what was under way
      }
      there.stop();
      world.advance(HOUR_MS);
      assert.ok(there.missing() < (there.sent * partedMs) / (world.nowMs - HOUR_MS), `${there.missing()}`);

      const again = countedTraffic(world, a, b, A_INNER, B_INNER);
      world.advance(HOUR_MS);
      again.stop();
      world.advance(1_000);
      assert.equal(again.missing(), 0, 'and afterwards all is well');
    },
    { isSwift: true },
  );

  scenario('without traffic is silent: no datagram and no wake-up (§6.5)', (world) => {
    const { a, b } = makeConnectedCouple(world);
    world.advance(600_000);
    const before = [world.network.eve.totalDatagrams, a.wakeUps, b.wakeUps];
    assert.deepEqual([a.device.nextDeadline(), b.device.nextDeadline()], [Infinity, Infinity]);
    world.advance(DAY_MS);
    assert.deepEqual([world.network.eve.totalDatagrams, a.wakeUps, b.wakeUps], before);
    assert.equal(world.events.nextEventMs, Infinity);
  });

  scenario('with nothing but persistent keepalives wakes up for them and for rekeys only (§6.5)', (world) => {
    const { a, b } = makeCouple(world, { aboutB: { persistentKeepaliveSeconds: 25 } });
    world.advance(DAY_MS);
    const keepalives = world.network.eve.total('transportData');
    const handshakes = world.network.eve.total('response');
    const atInterval = DAY_MS / 25_000; // and one more confirms each session
    assert.ok(keepalives >= atInterval && keepalives <= atInterval + handshakes + 1, `${keepalives}`);
    assert.ok(a.wakeUps <= keepalives + handshakes + 10, `${a.wakeUps} wake-ups, ${keepalives} keepalives`);
    assert.ok(b.wakeUps <= 10, `${b.wakeUps} wake-ups of the side that only answers`);
    for (const { datagram } of world.network.eve.seen('transportData'))
      assert.equal(datagram.bytes.length, KEEPALIVE_BYTES);
  });

  scenario('looks to Eve like four sizes and nothing else: 148, 92, 64, and multiples of 16 (§5.4.6)', (world) => {
    const couple = makeConnectedCouple(world);
    const traffic = countedTraffic(world, couple.a, couple.b, A_INNER, B_INNER);
    world.advance(HOUR_MS);
    traffic.stop();
    for (const { datagram } of world.network.eve.observations) {
      const { bytes } = datagram;
      const isRight = { 1: bytes.length === 148, 2: bytes.length === 92, 4: bytes.length % 16 === 0 }[bytes[0]!];
      assert.ok(isRight, `type ${bytes[0]}, ${bytes.length} bytes`);
      assert.deepEqual([...bytes.slice(1, 4)], [0, 0, 0]);
    }
    assertNoPlaintext(world, couple);
  });

  scenario('is the same day again when the seed is the same', (world) => {
    assert.equal(recordedDay(new Simulation({ seed: world.seed })), recordedDay(world));
    assert.notEqual(
      recordedDay(new Simulation({ seed: world.seed + 1 })),
      recordedDay(new Simulation({ seed: world.seed })),
    );
  });
});

describe('A monotonic clock that stands anywhere', () => {
  for (const [name, startMs] of [
    ['at its start', 0],
    ['after 24 days, past 2^31 ms', 2 ** 31 - 60_000],
    ['after 49 days, past 2^32 ms', 2 ** 32 - 60_000],
    ['after a hundred years', 3_155_760_000_000],
  ] as const) {
    scenario(
      `${name}, makes no difference`,
      (world) => {
        const { a, b } = makeConnectedCouple(world);
        for (let i = 0; i < 100; i++) {
          a.sendPacket(packetFromA(`${i}`));
          b.sendPacket(packetFromB(`${i}`));
          world.advance(10_000);
        }
        assert.deepEqual([a.received.length, b.received.length], [100, 100]);
        const initiations = world.network.eve.seen('initiation').length;
        assert.ok(initiations >= 7 && initiations <= 9, `${initiations} handshakes`);
        world.advance(3 * REJECT_AFTER_TIME_MS);
        assert.deepEqual([a.device.nextDeadline(), a.aead.liveSlots], [Infinity, 0]);
      },
      { startMs },
    );
  }
});

describe('A driver that asks too often', () => {
  scenario('changes nothing: what is not due does not happen', (world) => {
    const { a, b } = makeConnectedCouple(world);
    for (let i = 0; i < 50; i++) a.sendPacket(packetFromA(`${i}`));
    for (let i = 0; i < 20_000; i++) {
      world.advance(world.random.integer(20));
      a.poke();
      b.poke();
    }
    assert.equal(b.received.length, 50);
    assert.equal(world.network.eve.seen('initiation').length, 0);
    assert.equal(world.network.eve.seen('transportData', B_OUTER).length, 2, 'the passive keepalives');
  });
});

interface Flow {
  /** Packets sent so far. */
  readonly sent: number;
  /** Packets that arrived a second time. */
  readonly doubled: number;
  /** Packets that did not arrive. */
  missing(): number;
  stop(): void;
}

/**
 * Numbered packets from one node to another: bursts, steady seconds, and pauses of up to ten minutes.
 * Receiving nodes only count.
 */
function countedTraffic(
  world: Simulation,
  from: TunnelNode,
  to: TunnelNode,
  source: string,
  destination: string,
): Flow {
  const arrived = new Map<number, number>();
  let sent = 0;
  let isStopped = false;
  const random = world.random.fork();
  to.onPacket = (packet) => {
    const number = new DataView(packet.buffer, packet.byteOffset).getUint32(
      packet.length - packetPayload(packet).length,
    );
    arrived.set(number, (arrived.get(number) ?? 0) + 1);
  };

  const burst = (): void => {
    if (isStopped) return;
    const packets = Array.from({ length: 1 + random.integer(12) }, () => {
      const payload = new Uint8Array(4 + random.integer(60));
      new DataView(payload.buffer).setUint32(0, sent++);
      return ipPacket({ source, destination, payload });
    });
    from.sendPackets(packets);
    world.after(nextPauseMs(random.next()), burst);
  };
  burst();

  return {
    get sent() {
      return sent;
    },
    get doubled() {
      return [...arrived.values()].filter((count) => count > 1).length;
    },
    missing: () => sent - arrived.size,
    stop: () => {
      isStopped = true;
    },
  };
}

/** Mostly about a second, sometimes much longer. @param draw Uniform in [0, 1). */
function nextPauseMs(draw: number): number {
  if (draw < 0.002) return 600_000;
  if (draw < 0.02) return 30_000;
  return Math.ceil(20_000 * draw * draw * draw);
}

function assertNoPlaintext(world: Simulation, { a, b }: Couple): void {
  assert.ok(a.received.length === 0 && b.received.length === 0);
  world.network.eve.clear();
  const secret = 'a sentence that nobody but the peer may read';
  a.onPacket = undefined;
  b.onPacket = undefined;
  a.sendPacket(packetFromA(secret));
  world.advance(6_000);
  assert.equal(receivedTexts(b).at(-1), secret);
  for (const { datagram } of world.network.eve.observations)
    assert.ok(!Buffer.from(datagram.bytes).includes(secret.slice(0, 16)));
}

/** Everything that Eve sees in ten minutes on a bad network. */
function recordedDay(world: Simulation): string {
  const { a, b } = makeConnectedCouple(world);
  world.network.setConditions({ delayMs: 10, jitterMs: 10, lossRate: 0.1 });
  countedTraffic(world, a, b, A_INNER, B_INNER);
  world.advance(HOUR_MS / 6);
  return world.network.eve.observations
    .map(({ atMs, datagram, fate }) => `${atMs} ${fate} ${Buffer.from(datagram.bytes).toString('base64')}`)
    .join('\n');
}
