import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import {
  A_OUTER,
  B_OUTER,
  forget,
  makeConnectedCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
  textPacket,
} from './couple.js';
import { scenario } from './scenario.js';
import { NODE_INNER, padded, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { sealMessage } from './scripted-peer.js';
import { REJECT_AFTER_MESSAGES, REKEY_AFTER_MESSAGES, REPLAY_WINDOW } from './whitepaper.js';

describe('Counters', () => {
  scenario('start at 0 and count up by one, all 64 bits of them (§5.4.6)', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b, bOfA } = couple;
    a.sendPackets([packetFromA('1'), packetFromA('2'), packetFromA('3')]);
    world.advance(0);
    assert.deepEqual(seenCounters(world.network.eve.seen('transportData', A_OUTER)), [1n, 2n, 3n]);

    const keypair = bOfA.keypairs.current!;
    keypair.sendHigh = 0x00ff_ffff;
    keypair.sendLow = 0xffff_fffe;
    forget(world, couple);
    a.sendPackets(['x', 'y', 'z', 'w'].map(packetFromA));
    world.advance(0);
    const start = 0x00ff_ffff_ffff_fffen;
    assert.deepEqual(
      seenCounters(world.network.eve.seen('transportData', A_OUTER)),
      [0n, 1n, 2n, 3n].map((i) => start + i),
    );
    assert.deepEqual(receivedTexts(b), ['x', 'y', 'z', 'w']);
  });

  for (const [who, outer] of [
    ['initiator', A_OUTER],
    ['responder', B_OUTER],
  ] as const) {
    scenario(`at REKEY_AFTER_MESSAGES make the ${who} start a new handshake (§6.2)`, (world) => {
      const { a, b, bOfA, aOfB } = makeConnectedCouple(world);
      world.advance(10_000); // REKEY_TIMEOUT after the last handshake
      const peer = who === 'initiator' ? bOfA : aOfB;
      setSendCounter(peer.keypairs.current!, REKEY_AFTER_MESSAGES - 2n);
      const send = (): void => (who === 'initiator' ? a.sendPacket(packetFromA('x')) : b.sendPacket(packetFromB('x')));
      send();
      assert.equal(world.network.eve.seen('initiation', outer).length, 0);
      send();
      assert.equal(world.network.eve.seen('initiation', outer).length, 1);
    });

    scenario(`at REJECT_AFTER_MESSAGES are used no more by the ${who}: packets wait (§6.2)`, (world) => {
      const { a, b, bOfA, aOfB } = makeConnectedCouple(world);
      world.advance(10_000);
      const peer = who === 'initiator' ? bOfA : aOfB;
      const node = who === 'initiator' ? a : b;
      world.network.partition(A_OUTER, B_OUTER);
      world.network.eve.clear();
      setSendCounter(peer.keypairs.current!, REJECT_AFTER_MESSAGES - 1n);
      for (let i = 0; i < 3; i++) node.sendPacket(who === 'initiator' ? packetFromA('x') : packetFromB('x'));
      assert.deepEqual(seenCounters(world.network.eve.seen('transportData', outer)), [REJECT_AFTER_MESSAGES - 1n]);
      assert.equal(node.device.counters.verdicts[Verdict.Staged], 2 + Number(who === 'initiator'));

      world.network.heal();
      world.advance(6_000);
      assert.equal(receivedTexts(who === 'initiator' ? b : a).length, 2, 'the one that was sealed is lost');
    });
  }

  scenario('that come are accepted up to REJECT_AFTER_MESSAGES − 1, and none wraps around (§6.2)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, REJECT_AFTER_MESSAGES - 1n, 'last');
    for (const counter of [REJECT_AFTER_MESSAGES, REJECT_AFTER_MESSAGES + 1n, 2n ** 64n - 1n, 0n, 1n])
      link.sendText(session, counter, 'refused');
    assert.deepEqual(receivedTexts(link.node), ['last']);
    assert.equal(link.peer.counters.verdicts[Verdict.Replayed], 5);
  });

  scenario('that jump far ahead cost no time, and move the window (§5.4.6)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    for (const counter of [0n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n]) link.sendText(session, counter, `${counter}`);
    link.sendText(session, 2n ** 53n + 2n, 'behind the window');
    // A walk over what lies between would never come here.
    assert.equal(link.node.received.length, 4);
  });

  scenario(`are accepted once each, in any order within ${REPLAY_WINDOW} (§5.4.6)`, (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, BigInt(REPLAY_WINDOW), 'newest');
    link.sendText(session, 0n, 'oldest');
    link.sendText(session, 5n, 'between');
    for (const again of [0n, 5n, BigInt(REPLAY_WINDOW)]) link.sendText(session, again, 'again');
    link.sendText(session, BigInt(REPLAY_WINDOW + 2), 'next');
    link.sendText(session, 1n, 'too old');
    assert.deepEqual(receivedTexts(link.node), ['newest', 'oldest', 'between', 'next']);
  });

  scenario('of forged messages do not move the window (§5.4.6)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.sendText(session, 0n, 'one');
    const forged = sealMessage(session, 1_000_000n, padded(textPacket(SCRIPTED_INNER, NODE_INNER, 'forged')));
    forged[forged.length - 1]! ^= 1;
    link.send(forged);
    link.sendText(session, 1n, 'two');
    assert.deepEqual(receivedTexts(link.node), ['one', 'two']);
  });
});

function seenCounters(seen: readonly { datagram: { bytes: Uint8Array } }[]): bigint[] {
  return seen.map(({ datagram }) => Buffer.from(datagram.bytes).readBigUInt64LE(8));
}

function setSendCounter(keypair: { sendHigh: number; sendLow: number }, counter: bigint): void {
  keypair.sendHigh = Number(counter >> 32n);
  keypair.sendLow = Number(counter & 0xffff_ffffn);
}
