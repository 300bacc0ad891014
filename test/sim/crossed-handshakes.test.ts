import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import {
  A_OUTER,
  B_OUTER,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
  textPacket,
} from './couple.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { REKEY_TIMEOUT_MS } from './whitepaper.js';

/** Until after the first rekey. */
const STREAM_PACKETS = 12_600;
const STREAM_GAP_MS = 10;

describe('When both sides initiate at once', () => {
  scenario('both packets arrive, for 1,000 rounds of any timing (§5.4)', (world) => {
    const { a, b } = makeConnectedCouple(world);
    for (let round = 0; round < 1_000; round++) {
      world.advance(541_000); // sessions are gone
      world.network.setConditions({ delayMs: world.random.integer(60), jitterMs: world.random.integer(20) });
      a.received.length = 0;
      b.received.length = 0;
      world.after(world.random.integer(40), () => a.sendPacket(packetFromA('from a')));
      world.after(world.random.integer(40), () => b.sendPacket(packetFromB('from b')));
      world.advance(6_000);
      assert.deepEqual([receivedTexts(a), receivedTexts(b)], [['from b'], ['from a']], `round ${round}`);
    }
    assert.equal(world.ledger.gaps, 0);
  });

  scenario('the handshakes do not multiply: each side makes one per session at most (§6.2)', (world) => {
    const { a, b } = makeCouple(world);
    b.setPeer(a.device.publicKey!, { endpoint: a.address() });
    const send = (): void => {
      a.sendPacket(packetFromA('again'));
      b.sendPacket(packetFromB('again'));
      world.after(500, send);
    };
    send();
    world.advance(1_200_000);
    for (const from of [A_OUTER, B_OUTER]) assert.ok(world.network.eve.times('initiation', from).length <= 11);
    assert.ok(a.aead.liveSlots <= 3 && b.aead.liveSlots <= 3);
  });

  scenario(
    'one of them lets the other go first at the rekey: the sessions after have one initiator (§6.2)',
    (world) => {
      const { a, b } = makeCouple(world);
      b.setPeer(a.device.publicKey!, { endpoint: a.address() });
      world.network.setConditions({ delayMs: 50 });
      const send = (): void => {
        a.sendPacket(packetFromA('again'));
        b.sendPacket(packetFromB('again'));
        world.after(500, send);
      };
      send();
      world.advance(1_000_000);

      const times = [A_OUTER, B_OUTER]
        .flatMap((from) => world.network.eve.times('initiation', from))
        .sort((x, y) => x - y);
      assert.equal(times[1]! - times[0]!, 0, 'both at once');
      assert.equal(times.length, 2 + Math.floor(1_000_000 / 120_000), `${times}`);
      assert.equal(world.ledger.gaps, 0);
    },
  );

  for (const conditions of [{ delayMs: 50 }, { delayMs: 150 }, { delayMs: 40, jitterMs: 60 }]) {
    scenario(`no packet is lost, at the first rekey either: ${JSON.stringify(conditions)} (§5.4, §6.2)`, (world) => {
      const { a, b } = makeCouple(world);
      b.setPeer(a.device.publicKey!, { endpoint: a.address() });
      world.network.setConditions(conditions);
      const count = [0, 0];
      a.onPacket = () => count[0]!++;
      b.onPacket = () => count[1]!++;
      const send = (n: number): void => {
        a.sendPacket(packetFromA(`${n}`));
        b.sendPacket(packetFromB(`${n}`));
        world.network.eve.clear();
        if (n < STREAM_PACKETS) world.after(STREAM_GAP_MS, () => send(n + 1));
      };
      send(1);
      world.advance(STREAM_PACKETS * STREAM_GAP_MS + 1_000);
      assert.deepEqual(count, [STREAM_PACKETS, STREAM_PACKETS]);
      assert.equal(a.device.counters.verdicts[Verdict.UnknownReceiverIndex], 0);
      assert.equal(b.device.counters.verdicts[Verdict.UnknownReceiverIndex], 0);
    });
  }

  scenario('both ends seal under the keypair that one of them initiated, whatever overtakes what', (world) => {
    for (let round = 0; round < 300; round++) {
      const { a, b, aOfB, bOfA } = makeCouple(world);
      b.setPeer(a.device.publicKey!, { endpoint: a.address() });
      world.network.setConditions({ delayMs: world.random.integer(40), jitterMs: world.random.integer(80) });
      world.after(world.random.integer(40), () => a.sendPacket(packetFromA('from a')));
      world.after(world.random.integer(40), () => b.sendPacket(packetFromB('from b')));
      world.after(500, () => {
        a.sendPacket(packetFromA('more'));
        b.sendPacket(packetFromB('more'));
      });
      world.advance(1_000);
      const [ofA, ofB] = [bOfA.keypairs.current!, aOfB.keypairs.current!];
      assert.equal(ofA.remoteIndex, ofB.localIndex, `round ${round}`);
      assert.notEqual(ofA.isInitiator, ofB.isInitiator);
      assert.deepEqual(
        [receivedTexts(a), receivedTexts(b)],
        [
          ['from b', 'more'],
          ['from a', 'more'],
        ],
      );
      for (const node of [a, b]) node.host.addresses = [];
    }
  });

  scenario(
    'a response that comes more than REKEY_TIMEOUT after its initiation is too late for the session',
    (world) => {
      const link = new ScriptedLink(world);
      link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
      link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
      world.advance(100);
      const initiation = link.lastReceived(1);
      link.script.consumeInitiation(initiation);
      const { message } = link.script.createResponse(initiation, { ephemeralPrivate: world.random.bytes(32) });
      const session = link.connectAsInitiator();
      link.sendText(session, 0n, 'confirms');
      const { current } = link.peer.keypairs;
      assert.ok(link.peer.pendingHandshake !== undefined, 'a response may still be in flight');

      world.advance(REKEY_TIMEOUT_MS);
      assert.equal(link.peer.pendingHandshake, undefined, 'its ephemeral key is wiped');
      link.send(message);
      assert.equal(link.peer.keypairs.current, current);
      assert.equal(link.node.device.counters.rejections.get('no-handshake'), 1);
    },
  );
});
