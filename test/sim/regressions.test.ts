import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import {
  A_INNER6,
  A_OUTER6,
  B_INNER6,
  B_OUTER6,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
  textPacket,
} from './couple.js';
import { ipPacket } from './ip-packet.js';
import { takeSnapshot } from './object-snapshot.js';
import { publicKeyOf } from './plain-noise.js';
import { scenario } from './scenario.js';
import { SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { signMessage } from './scripted-peer.js';

/**
 * Mistakes that implementations of WireGuard shipped, and that no test of a rule shows by itself.
 * `docs/regressions.md` has the whole list, with the test for each.
 */
describe('Mistakes of others:', () => {
  scenario('a cookie reply for every hundredth handshake: 300 in a row get none', (world) => {
    const link = new ScriptedLink(world);
    for (let i = 0; i < 300; i++) {
      world.advance(100);
      link.send(link.initiation());
    }
    assert.deepEqual(
      link.inbox.map(({ bytes }) => bytes[0]),
      new Array(300).fill(2),
    );
  });

  scenario('responses thrown away after 250 ms: one that takes 4.9 s completes the handshake', (world) => {
    const { a, b } = makeCouple(world);
    world.network.setConditions({ delayMs: 2_450 });
    a.sendPacket(packetFromA('patience'));
    world.advance(8_000);
    assert.deepEqual(receivedTexts(b), ['patience']);
    assert.equal(world.network.eve.seen('initiation').length, 1);
  });

  scenario('a rekey measured from the last receive: an answer after long silence starts none', (world) => {
    const { a, b } = makeConnectedCouple(world);
    world.advance(100_000);
    a.sendPacket(packetFromA('after silence'));
    world.advance(100);
    b.sendPacket(packetFromB('answer'));
    world.advance(30_000);
    assert.equal(world.network.eve.seen('initiation').length, 0);
  });

  scenario('no rekey after silence: the first packet after a day has its session in a round trip', (world) => {
    const { a, b } = makeConnectedCouple(world);
    world.advance(86_400_000);
    a.sendPacket(packetFromA('good morning'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['good morning']);
  });

  scenario('endpoints that share memory: IPv4 and IPv6 by turns, every byte and every address right', (world) => {
    const { a, b, bOfA, bPublic } = makeConnectedCouple(world);
    const other = world.addNode('other', world.addHost('other', ['192.0.2.3', '2001:db8::3']));
    other.setPrivateKey(world.random.bytes(32));
    other.setPeer(a.device.publicKey!, { allowedIps: ['0.0.0.0/0', '::/0'] });
    other.setLinkUp(true);
    a.setPeer(other.device.publicKey!, { allowedIps: ['10.3.0.0/16'], endpoint: other.address('2001:db8::3') });

    const expected = new Map([
      [b, [] as Uint8Array[]],
      [other, [] as Uint8Array[]],
    ]);
    for (let i = 0; i < 600; i++) {
      const isForOther = world.random.chance(0.5);
      if (world.random.chance(0.3))
        a.setPeer(bPublic, { endpoint: b.address(world.random.pick([B_OUTER6, '192.0.2.2'])) });
      if (world.random.chance(0.1)) other.sendPacket(textPacket('10.3.0.1', '10.0.0.1', 'roam'));
      const payload = world.random.bytes(world.random.integer(1_380));
      const packet = ipPacket({ source: '10.0.0.1', destination: isForOther ? '10.3.0.1' : '10.0.0.2', payload });
      a.sendPacket(packet);
      world.advance(5);
      expected.get(isForOther ? other : b)!.push(packet);
    }
    assert.deepEqual(b.received, expected.get(b));
    assert.deepEqual(other.received, expected.get(other));
    assert.ok([B_OUTER6, '192.0.2.2'].includes(SocketAddress.fromRecord(bOfA.endpoint!.bytes, 0).address));
    assert.ok(world.network.eve.observations.every(({ fate }) => fate === 'sent'));
  });

  scenario('a flood that starves data: one call of runDue() does a bounded part of 1,024 handshakes', (world) => {
    const link = new ScriptedLink(world);
    const { device } = link.node;
    const batch = new PacketBatch(1_100, 1_100 * 148);
    for (let row = 0; row < 1_100; row++) {
      const message = signMessage(withType(world.random.bytes(148)), link.nodePublic);
      batch.bytes.set(message, row * 148);
      batch.offset[row] = row * 148;
      batch.length[row] = 148;
      batch.setEndpoint(row, link.address.toEndpoint().words, 0);
      batch.count++;
    }
    device.classify(batch, world.nowMs);
    device.admit(batch, world.nowMs);
    assert.equal(device.counters.verdicts[Verdict.HandshakeQueueFull], 1_100 - 1_024, 'the newest are dropped');

    let calls = 0;
    for (; device.nextDeadline() <= world.nowMs; calls++) {
      device.runDue(world.nowMs);
      assert.ok(device.outbox.count <= 32, `${device.outbox.count} messages at once`);
      device.outbox.clear();
    }
    assert.ok(calls >= 1_024 / 32, `${calls} calls`);
  });

  scenario('state for everybody who knocks: after 5,000 handshakes of strangers nothing is left', (world) => {
    const link = new ScriptedLink(world);
    const ignored = [/counters/, /refusals/, /outbox/, /queue/, /#limiter/, /cookies/];
    link.send(link.initiation());
    world.advance(600_000);
    const before = takeSnapshot(link.node.device, ignored);
    for (let i = 0; i < 5_000; i++) link.send(signMessage(withType(world.random.bytes(148)), link.nodePublic));
    world.advance(600_000);
    assert.equal(takeSnapshot(link.node.device, ignored).size, before.size);
    assert.deepEqual([link.node.device.nextDeadline(), link.node.aead.liveSlots], [Infinity, 0]);
  });

  scenario('initiations of a peer that never finishes leave one session to be wiped, not hundreds', (world) => {
    const link = new ScriptedLink(world);
    for (let i = 0; i < 500; i++) {
      world.advance(25);
      link.send(link.initiation());
    }
    assert.equal(link.node.aead.liveSlots, 1);
    world.advance(600_000);
    assert.deepEqual([link.node.device.nextDeadline(), link.node.aead.liveSlots], [Infinity, 0]);
  });

  scenario('a deadlock or a session with oneself: the own key as a peer is ignored, under traffic too', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b, aPublic } = couple;
    a.setPeer(couple.bPublic, { persistentKeepaliveSeconds: 1 });
    a.apply({
      peers: [{ publicKey: aPublic, isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] }],
    });
    a.sendPacket(packetFromA('goes on'));
    world.advance(3_000);
    assert.deepEqual([a.device.peerCount, receivedTexts(b)], [1, ['goes on']]);
    a.receive(world.network.eve.observations.map(({ datagram }) => datagram));
    assert.equal(a.received.length, 0);
  });

  scenario('a private key that changes under full traffic costs packets, never the device', (world) => {
    const { a, b, aPublic, bPublic } = makeConnectedCouple(world);
    let publicKey = aPublic;
    for (let i = 0; i < 100; i++) {
      const privateKey = world.random.bytes(32);
      b.removePeer(publicKey);
      publicKey = publicKeyOf(privateKey);
      b.setPeer(publicKey, { allowedIps: ['10.0.0.1/32'] });
      a.sendPackets(Array.from({ length: 20 }, (_, n) => packetFromA(`${n}`)));
      a.setPrivateKey(privateKey);
      a.sendPackets(Array.from({ length: 20 }, (_, n) => packetFromA(`${n}`)));
      world.advance(world.random.integer(50));
    }
    b.received.length = 0;
    a.sendPacket(packetFromA('still here'));
    world.advance(10_000);
    assert.equal(receivedTexts(b).at(-1), 'still here');
    assert.equal(a.peer(bPublic).keypairs.next, undefined);
    assert.ok(a.aead.liveSlots <= 3 && b.aead.liveSlots <= 3);
  });

  scenario('inner IPv6 extension headers that never end: they are nobody’s business and pass as they are', (world) => {
    const { a, b } = makeConnectedCouple(world);
    const chains = Array.from({ length: 50 }, () => {
      const payload = world.random.bytes(8 + 8 * world.random.integer(30));
      for (let at = 0; at < payload.length; at += 8)
        payload.set([world.random.pick([0, 43, 44, 51, 60]), world.random.pick([0, 0, 255])], at);
      return ipPacket({ source: A_INNER6, destination: B_INNER6, payload, protocol: world.random.pick([0, 43, 60]) });
    });
    a.sendPackets(chains);
    world.advance(0);
    assert.deepEqual(b.received, chains);
  });

  scenario('an IPv6 link that is forgotten: the outer family does not matter to the inner one', (world) => {
    const { a, b } = makeCouple(world, { aboutB: { endpoint: new SocketAddress(B_OUTER6, 51_820) } });
    a.sendPacket(packetFromA('IPv4 over IPv6'));
    a.sendPacket(textPacket(A_INNER6, B_INNER6, 'IPv6 over IPv6'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['IPv4 over IPv6', 'IPv6 over IPv6']);
    assert.equal(world.network.eve.observations[0]?.datagram.from.address, A_OUTER6);
  });

  scenario('a spoofed source of another peer: refused for IPv4 and IPv6, also under the right session', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(world.random.bytes(32), { allowedIps: ['10.0.0.0/8', 'fd00::/8'] });
    const session = link.connectAsInitiator();
    link.sendText(session, 0n, 'spoofed', '10.0.0.77');
    link.sendText(session, 1n, 'spoofed', '172.16.0.1');
    link.sendText(session, 2n, 'mine', SCRIPTED_INNER);
    assert.deepEqual(receivedTexts(link.node), ['mine']);
    assert.equal(link.peer.counters.verdicts[Verdict.DisallowedSource], 2);
  });
});

function withType(message: Uint8Array): Uint8Array {
  message.set([1, 0, 0, 0]);
  return message;
}
