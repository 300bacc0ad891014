import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import {
  A_OUTER,
  B_OUTER,
  makeConnectedCouple,
  makeQuietCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
} from './couple.js';
import { flood } from './flood.js';
import { endpointOf, MESSAGES_THAT_ROAM } from './roaming-messages.js';
import { scenario } from './scenario.js';
import { ScriptedLink } from './scripted-link.js';

const NEW_ADDRESS = '203.0.113.7';
const NEW_PORT = 40_000;

describe('A pinned endpoint', () => {
  scenario('stays wherever authentic messages come from, and what was heard is kept apart', (world) => {
    const { a, b, aOfB } = makeConnectedCouple(world);
    b.device.setEndpoint(aOfB, a.address().toEndpoint(), 'pinned');
    a.host.addresses = [A_OUTER, NEW_ADDRESS];
    a.rebind(NEW_PORT);
    a.sendPacket(packetFromA('from elsewhere'));
    world.advance(0);
    assert.equal(endpointOf(aOfB), `${A_OUTER}:51820`);
    assert.equal(String(SocketAddress.fromRecord(aOfB.heardFrom!.bytes, 0)), `${A_OUTER}:${NEW_PORT}`);
    b.device.setEndpoint(aOfB, aOfB.heardFrom!, 'follow');
    b.sendPacket(packetFromB('found'));
    world.advance(0);
    assert.deepEqual(receivedTexts(a), ['found']);
  });

  scenario('takes the source address from messages that came from there', (world) => {
    const { a, b, aOfB } = makeConnectedCouple(world);
    b.device.setEndpoint(aOfB, a.address().toEndpoint(), 'pinned');
    assert.equal(aOfB.endpoint?.hasSource, false);
    a.sendPacket(packetFromA('from there'));
    world.advance(0);
    assert.equal(aOfB.endpoint?.hasSource, true);
  });

  scenario('does not keep a response from the sender of the initiation', (world) => {
    const link = new ScriptedLink(world);
    link.node.device.setEndpoint(link.peer, new SocketAddress('203.0.113.1', 9).toEndpoint(), 'pinned');
    link.connectAsInitiator();
    assert.equal(endpointOf(link.peer), '203.0.113.1:9');
  });

  scenario('that is set lets messages leave there at once, and follows again when told so', (world) => {
    const { a, b, aOfB } = makeConnectedCouple(world);
    b.device.setEndpoint(aOfB, new SocketAddress(NEW_ADDRESS, NEW_PORT).toEndpoint());
    b.sendPacket(packetFromB('to the new place'));
    const last = world.network.eve.observations.at(-1)!.datagram;
    assert.equal(String(last.to), `${NEW_ADDRESS}:${NEW_PORT}`);
    a.sendPacket(packetFromA('still here'));
    world.advance(0);
    assert.equal(endpointOf(aOfB), `${A_OUTER}:51820`);
  });
});

describe('Port 0', () => {
  for (const [kind, act] of MESSAGES_THAT_ROAM(0)) {
    scenario(`is no source: ${kind} from there is dropped and counted, and moves no endpoint`, (world) => {
      const link = new ScriptedLink(world);
      link.host.listen(0, (datagram) => link.inbox.push(datagram));
      act(link, world.random.bytes(32), () => world.advance(100));
      world.advance(30_000);
      assert.equal(link.node.device.counters.verdicts[Verdict.SourcePortZero], 1);
      assert.notEqual(link.peer.endpoint?.port, 0);
      assert.ok(link.inbox.every(({ to }) => to.port !== 0));
    });
  }

  scenario('is never answered, under load either', (world) => {
    const link = new ScriptedLink(world);
    flood(world, link.node, link.nodePublic);
    link.host.listen(0, (datagram) => link.inbox.push(datagram));
    for (let i = 0; i < 300; i++) link.send(link.initiation(), 0);
    assert.equal(link.inbox.length, 0);
  });

  scenario('that the user sets is kept, nothing is sent, and the next authentic message sets the endpoint', (world) => {
    for (const address of ['0.0.0.0', '::', B_OUTER]) {
      const { a, b, aOfB, aPublic } = makeQuietCouple(world);
      b.setPeer(aPublic, { endpoint: new SocketAddress(address, 0), persistentKeepaliveSeconds: 1 });
      assert.equal(aOfB.endpoint?.port, 0);
      b.sendPacket(packetFromB('to nowhere'));
      world.advance(200_000);
      assert.equal(b.replies.length, 1, 'as unreachable as without an endpoint');
      assert.equal(
        world.network.eve.observations.filter(({ datagram }) => datagram.from.address === B_OUTER).length,
        0,
      );

      a.sendPacket(packetFromA('from somewhere'));
      world.advance(100);
      assert.equal(endpointOf(aOfB), `${A_OUTER}:51820`);
      b.sendPacket(packetFromB('found'));
      world.advance(100);
      assert.deepEqual(receivedTexts(a), ['found']);
      for (const node of [a, b]) {
        node.setLinkUp(false);
        node.host.addresses = [];
      }
    }
  });
});
