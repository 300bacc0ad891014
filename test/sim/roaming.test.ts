import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { SocketAddress } from '../../src/sim/socket-address.js';
import {
  A_OUTER,
  B_OUTER,
  B_OUTER6,
  forget,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
  textPacket,
} from './couple.js';
import { endpointOf, MESSAGES_THAT_ROAM } from './roaming-messages.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, SCRIPTED_OUTER, ScriptedLink } from './scripted-link.js';
import { mac1Of, sealMessage } from './scripted-peer.js';

const NEW_ADDRESS = '203.0.113.7';
const NEW_PORT = 40_000;

describe('An endpoint', () => {
  scenario('follows the peer with a data message (§2.1)', (world) => {
    const { a, b, aOfB } = makeConnectedCouple(world);
    a.host.addresses = [NEW_ADDRESS];
    a.sendPacket(packetFromA('from elsewhere'));
    world.advance(0);
    assert.equal(endpointOf(aOfB), `${NEW_ADDRESS}:51820`);
    b.sendPacket(packetFromB('found'));
    world.advance(0);
    assert.deepEqual(receivedTexts(a), ['found']);
  });

  scenario('follows the port alone, and from one family to the other (§2.1)', (world) => {
    const { a, b, aOfB, bPublic } = makeConnectedCouple(world);
    a.rebind(NEW_PORT);
    a.sendPacket(packetFromA('other port'));
    world.advance(0);
    assert.equal(endpointOf(aOfB), `${A_OUTER}:${NEW_PORT}`);

    a.setPeer(bPublic, { endpoint: b.address(B_OUTER6) });
    a.sendPacket(packetFromA('over IPv6'));
    b.sendPacket(packetFromB('back'));
    world.advance(0);
    assert.equal(endpointOf(aOfB), `[2001:db8::1]:${NEW_PORT}`);
    assert.deepEqual(receivedTexts(a), ['back']);
  });

  scenario('follows the initiator of a session as well as the responder (§2.1)', (world) => {
    const { a, b, bOfA } = makeConnectedCouple(world);
    b.host.addresses = [NEW_ADDRESS];
    b.sendPacket(packetFromB('from elsewhere'));
    world.advance(0);
    assert.equal(endpointOf(bOfA), `${NEW_ADDRESS}:51820`);
    a.sendPacket(packetFromA('found'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['found']);
  });

  for (const [kind, act] of MESSAGES_THAT_ROAM(NEW_PORT)) {
    scenario(`follows with ${kind} (§2.1)`, (world) => {
      const link = new ScriptedLink(world);
      link.host.listen(NEW_PORT, (datagram) => link.inbox.push(datagram));
      act(link, world.random.bytes(32), () => world.advance(100));
      assert.equal(endpointOf(link.peer), `${SCRIPTED_OUTER}:${NEW_PORT}`);
    });
  }

  scenario('stays where it is when a cookie reply comes from elsewhere (§5.4.7)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(0);

    const cookie = world.random.bytes(16);
    link.send(link.script.createCookieReply(link.lastReceived(1), cookie, world.random.bytes(24)), NEW_PORT);
    assert.equal(endpointOf(link.peer), String(link.address));
    world.advance(6_000);
    assert.ok(
      link
        .lastReceived(1)
        .slice(-16)
        .some((byte) => byte !== 0),
      'the cookie itself was taken',
    );
  });

  scenario('stays where it is for anything that is not authentic, or is replayed (§2.1)', (world) => {
    const link = new ScriptedLink(world);
    const session = link.connectAsInitiator();
    const message = sealMessage(session, 0n, new Uint8Array(0));
    link.send(message);
    const refused = [
      message,
      damaged(sealMessage(session, 1n, new Uint8Array(16))),
      damaged(link.initiation(), 60),
      world.random.bytes(148),
      Uint8Array.of(4, 0, 0, 0),
    ];
    for (const bytes of refused) link.send(bytes, NEW_PORT);
    assert.equal(endpointOf(link.peer), String(link.address));
  });

  scenario(
    'follows also with a packet whose source is not allowed: the message itself is authentic (§2.1)',
    (world) => {
      const link = new ScriptedLink(world);
      const session = link.connectAsInitiator();
      link.send(sealMessage(session, 0n, new Uint8Array(16)), NEW_PORT);
      assert.equal(endpointOf(link.peer), `${SCRIPTED_OUTER}:${NEW_PORT}`);
    },
  );

  scenario('that an attacker delays or repeats can only be where the attacker is on the path (§2.1)', (world) => {
    const { a, b, aOfB } = makeConnectedCouple(world);
    const evil = new SocketAddress('203.0.113.66', 666);
    world.network.interceptor = (datagram) => [datagram, { ...datagram, from: evil }];
    for (let i = 0; i < 20; i++) a.sendPacket(packetFromA(`${i}`));
    world.advance(1_000);
    assert.equal(endpointOf(aOfB), `${A_OUTER}:51820`, 'copies that come second change nothing');
    assert.equal(b.received.length, 20);
  });

  scenario('is kept when the peer falls silent, is removed with the peer, and set by the user (§2.1)', (world) => {
    const { a, b, bOfA, bPublic } = makeConnectedCouple(world);
    world.advance(3_600_000);
    assert.equal(endpointOf(bOfA), `${B_OUTER}:51820`);
    a.setPeer(bPublic, { endpoint: new SocketAddress(NEW_ADDRESS, NEW_PORT) });
    b.host.addresses = [NEW_ADDRESS];
    b.rebind(NEW_PORT);
    a.sendPacket(packetFromA('found'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['found']);
  });
});

describe('The sticky source', () => {
  scenario('is the address that the peer wrote to: answers come from there (§2.1)', (world) => {
    const couple = makeCouple(world);
    const { a, b, bPublic } = couple;
    b.host.addresses = [B_OUTER, '192.0.2.22'];
    a.setPeer(bPublic, { endpoint: b.address('192.0.2.22') });
    a.sendPacket(packetFromA('to the second address'));
    world.advance(0);
    b.sendPacket(packetFromB('from there'));
    world.advance(0);
    assert.deepEqual(receivedTexts(a), ['from there']);
    for (const { datagram } of world.network.eve.observations.filter(({ datagram }) => datagram.to.address === A_OUTER))
      assert.equal(datagram.from.address, '192.0.2.22');
  });

  scenario('is forgotten when the host says that it is stale, and with each repeated initiation', (world) => {
    const couple = makeConnectedCouple(world);
    const { b, aOfB } = couple;
    assert.equal(aOfB.endpoint?.hasSource, true);
    b.device.forgetSources((endpoint) => endpoint.port === 1);
    assert.equal(aOfB.endpoint?.hasSource, true);
    b.device.forgetSources(() => true);
    assert.equal(aOfB.endpoint?.hasSource, false);

    couple.a.sendPacket(packetFromA('again'));
    world.advance(0);
    assert.equal(aOfB.endpoint?.hasSource, true);
    forget(world, couple);
    world.network.partition(A_OUTER, B_OUTER);
    world.advance(541_000);
    b.sendPacket(packetFromB('lost'));
    assert.equal(aOfB.endpoint?.hasSource, true, 'the first initiation still goes out by it');
    world.advance(5_400);
    assert.equal(aOfB.endpoint?.hasSource, false);
  });

  scenario(
    'is forgotten when data stays unanswered: the handshake that follows leaves from a new one (kernel)',
    (world) => {
      const { b, aOfB } = makeConnectedCouple(world);
      world.network.partition(A_OUTER, B_OUTER);
      b.sendPacket(packetFromB('lost'));
      world.advance(14_900);
      assert.equal(aOfB.endpoint?.hasSource, true);
      world.advance(500);
      assert.equal(world.network.eve.times('initiation', B_OUTER).length, 1);
      assert.equal(aOfB.endpoint?.hasSource, false);
    },
  );
});

function damaged(message: Uint8Array, at = mac1Of(message).length + 2): Uint8Array {
  const copy = message.slice();
  copy[at]! ^= 1;
  return copy;
}
