import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import { makeConnectedCouple, makeCouple, packetFromA, packetFromB, receivedTexts, textPacket } from './couple.js';
import { packetPayload } from './ip-packet.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { sealMessage, signMessage } from './scripted-peer.js';
import { INITIATION_BYTES, RESPONSE_BYTES } from './whitepaper.js';

describe('A handshake', () => {
  scenario('takes one round trip, and the packet that asked for it goes out after it (§5)', (world) => {
    const { a, b } = makeCouple(world);
    world.network.setConditions({ delayMs: 40 });
    a.sendPacket(packetFromA('hello'));
    world.advance(119);
    assert.deepEqual(receivedTexts(b), []);
    world.advance(1);
    assert.deepEqual(receivedTexts(b), ['hello']);
    assert.deepEqual(
      world.network.eve.observations.map(({ datagram }) => datagram.bytes.length),
      [INITIATION_BYTES, RESPONSE_BYTES, 32 + 32],
    );
  });

  scenario('starts on request beside a session, at most five seconds later (§6.2)', (world) => {
    const { a, b, bPublic } = makeConnectedCouple(world);
    const initiations = () =>
      world.network.eve.observations.filter(({ datagram }) => datagram.bytes.length === INITIATION_BYTES).length;
    const before = initiations();
    a.device.requestHandshake(bPublic, a.nowMs);
    a.poke();
    world.advance(0);
    assert.equal(initiations(), before);
    world.advance(5_000);
    assert.equal(initiations(), before + 1);
    a.sendPacket(packetFromA('in the new session'));
    world.advance(0);
    assert.equal(receivedTexts(b).at(-1), 'in the new session');
    a.device.requestHandshake(a.device.publicKey!, a.nowMs);
  });

  for (const presharedKey of [undefined, new Uint8Array(32).fill(7)]) {
    const how = presharedKey === undefined ? 'without' : 'with';
    scenario(
      `agrees byte for byte with one written from the whitepaper alone, ${how} a preshared key (§5.4)`,
      (world) => {
        const link = new ScriptedLink(world, presharedKey === undefined ? {} : { presharedKey });
        if (presharedKey !== undefined) link.script.presharedKey = presharedKey;

        const asInitiator = link.connectAsInitiator();
        link.sendText(asInitiator, 0n, 'from the script');
        link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'to the script'));
        world.advance(0);
        assert.deepEqual(receivedTexts(link.node), ['from the script']);
        assert.deepEqual(openedTexts(link, asInitiator), ['to the script']);

        world.advance(600_000);
        link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'again'));
        world.advance(0);
        const asResponder = link.answer();
        link.sendText(asResponder, 0n, 'answer');
        assert.deepEqual(receivedTexts(link.node).at(-1), 'answer');
        assert.deepEqual(openedTexts(link, asResponder), ['again']);
      },
    );
  }

  scenario('is not hurt by a false response that comes before the right one (§5.4.3)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(0);

    const initiation = link.lastReceived(1);
    const forged = new Uint8Array(92);
    forged[0] = 2;
    forged.set(initiation.slice(4, 8), 8);
    forged.set(world.random.bytes(48), 12);
    for (let i = 0; i < 10; i++) link.send(signMessage(forged, link.nodePublic));
    assert.equal(link.node.device.counters.rejections.get('wrong-response'), 10);

    const session = link.answer();
    world.advance(0);
    assert.deepEqual(openedTexts(link, session), ['waits']);
  });

  scenario('is refused with a low-order point as ephemeral key, in either message (§5.4.2, §5.4.3)', (world) => {
    for (const point of LOW_ORDER_POINTS) {
      const link = new ScriptedLink(world);
      link.send(link.initiation({ ephemeralPublic: point }));
      assert.equal(link.inbox.length, 0, 'no answer to the initiation');

      link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
      link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
      world.advance(0);
      const initiation = link.lastReceived(1);
      link.script.consumeInitiation(initiation);
      const ephemeralPrivate = world.random.bytes(32);
      link.send(link.script.createResponse(initiation, { ephemeralPrivate, ephemeralPublic: point }).message);
      assert.deepEqual([link.node.device.counters.rejections.get('low-order-point'), link.node.aead.liveSlots], [2, 0]);
      link.node.host.addresses = [];
      link.host.addresses = [];
    }
  });

  scenario('is never started with a peer whose key is a low-order point: nothing is sent (§5.4.2)', (world) => {
    for (const point of LOW_ORDER_POINTS) {
      const { a, b } = makeCouple(world);
      a.setPeer(point, { endpoint: b.address(), allowedIps: ['10.9.9.9/32'], persistentKeepaliveSeconds: 5 });
      a.sendPacket(textPacket('10.0.0.1', '10.9.9.9', 'nowhere'));
      world.advance(200_000);
      assert.equal(world.network.eve.totalDatagrams, 0);
      for (const node of [a, b]) node.host.addresses = [];
    }
  });

  scenario('uses indices that nobody can guess: all different, all bits in use (§5.4.2)', (world) => {
    const couple = makeConnectedCouple(world);
    const indices = new Set<number>();
    for (let i = 0; i < 60; i++) {
      world.advance(400_000);
      couple.a.sendPacket(packetFromA('again'));
    }
    let all = 0;
    for (const { datagram } of world.network.eve.seen('initiation')) {
      const index = Buffer.from(datagram.bytes).readUInt32LE(4);
      indices.add(index);
      all |= index;
    }
    assert.equal(indices.size, 60);
    assert.equal(all >>> 0, 0xffff_ffff);
    const low = [...indices].toSorted((x, y) => x - y);
    assert.ok(
      low.every((index, i) => i === 0 || index - low[i - 1]! > 1),
      'they do not count up',
    );
  });
});

describe('Key confirmation', () => {
  scenario('comes with the first message of the initiator: the responder seals nothing before it (§5.4.5)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(1_000);
    assert.equal(link.opened(session).length, 0);

    link.send(sealMessage(session, 0n, new Uint8Array(0)));
    assert.deepEqual(openedTexts(link, session), ['waits']);
  });

  scenario('leaves the session before in use until then, and opens what is still under way (§5.4.5)', (world) => {
    const link = new ScriptedLink(world);
    const first = link.connectAsInitiator();
    link.sendText(first, 0n, 'one');
    const second = link.connectAsInitiator();

    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'under the first'));
    world.advance(0);
    assert.deepEqual([openedTexts(link, first), openedTexts(link, second)], [['under the first'], []]);
    link.sendText(first, 1n, 'two');
    link.sendText(second, 0n, 'three');
    link.sendText(first, 2n, 'late');
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'under the second'));
    world.advance(0);
    assert.deepEqual(openedTexts(link, second), ['under the second']);
    assert.deepEqual(receivedTexts(link.node), ['one', 'two', 'three', 'late']);
  });

  scenario('lets only the newest unconfirmed session count, and drops the one before the current (§5.4.5)', (world) => {
    const link = new ScriptedLink(world);
    const first = link.connectAsInitiator();
    link.sendText(first, 0n, 'one');
    const second = link.connectAsInitiator();
    const third = link.connectAsInitiator();
    link.sendText(second, 0n, 'dropped');
    link.sendText(third, 0n, 'three');
    link.sendText(first, 1n, 'previous');
    assert.deepEqual(receivedTexts(link.node), ['one', 'three', 'previous']);
    assert.equal(link.node.aead.liveSlots, 2);
    assert.equal(link.node.device.counters.verdicts[Verdict.UnknownReceiverIndex], 1);
  });

  scenario('happens by a keepalive when the initiator has nothing to send (§5.4.5)', (world) => {
    const { a, b, bPublic } = makeCouple(world);
    a.setPeer(bPublic, { persistentKeepaliveSeconds: 600 });
    world.advance(1_000);
    b.sendPacket(packetFromB('at once'));
    world.advance(0);
    assert.deepEqual(receivedTexts(a), ['at once']);
  });
});

/** Points of small order, from the table of the X25519 paper: 0, 1, and those of order 8, with p − 1, p, p + 1. */
const LOW_ORDER_POINTS = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

function openedTexts(link: ScriptedLink, session: Parameters<ScriptedLink['opened']>[0]): string[] {
  return link
    .opened(session)
    .filter(({ packet }) => packet.length > 0)
    .map(({ packet }) => new TextDecoder().decode(packetPayload(packet.slice(0, (packet[2]! << 8) | packet[3]!))));
}
