import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { explainText } from '../../src/control/explain-text.js';
import { Verdict } from '../../src/core/packets/verdict.js';
import type { Simulation } from '../../src/sim/simulation.js';
import {
  A_INNER,
  A_OUTER,
  B_INNER,
  B_OUTER,
  type Couple,
  forget,
  makeConnectedCouple,
  makeCouple,
  packetFromA,
  packetFromB,
  receivedTexts,
} from './couple.js';
import { ipPacket } from './ip-packet.js';
import { publicKeyOf } from './plain-noise.js';
import { scenario } from './scenario.js';
import { ScriptedLink } from './scripted-link.js';

const NO_KEY = new Uint8Array(32);
/** The key of a peer that is not there. */
const UNREACHABLE = new Uint8Array(32).fill(9);
const HOUR_MS = 3_600_000;

describe('While the link is down or no private key is set', () => {
  for (const missing of ['link', 'key'] as const) {
    scenario(`nothing is sent, staged or woken up for: no ${missing}`, (world) => {
      const { a, complete } = makeUnfinished(world, missing);
      a.sendPacket(packetFromA('dropped'));
      world.advance(HOUR_MS);
      assert.deepEqual([world.network.eve.totalDatagrams, a.wakeUps, a.device.nextDeadline()], [0, 0, Infinity]);
      assert.equal(a.device.counters.verdicts[Verdict.DeviceDown], 1);

      complete();
      assert.equal(world.network.eve.seen('transportData').length, 0, 'what was sent before is gone');
    });

    scenario(`the persistent keepalive leaves at once when the ${missing} comes last (kernel)`, (world) => {
      const { a, b, complete } = makeUnfinished(world, missing);
      a.setPeer(b.device.publicKey!, { persistentKeepaliveSeconds: 25 });
      world.advance(HOUR_MS);
      assert.equal(world.network.eve.totalDatagrams, 0);
      complete();
      assert.deepEqual(world.network.eve.times('initiation', A_OUTER), [world.nowMs]);
      world.advance(0);
      assert.equal(world.network.eve.times('transportData', A_OUTER).length, 1);
    });

    scenario(`nothing is believed: handshakes and data meet silence without a ${missing}`, (world) => {
      const link = new ScriptedLink(world);
      const session = link.connectAsInitiator();
      link.sendText(session, 0n, 'before');
      if (missing === 'link') link.node.setLinkUp(false);
      else link.node.setPrivateKey(NO_KEY);
      link.inbox.length = 0;
      link.sendText(session, 1n, 'dropped');
      link.send(link.initiation());
      assert.deepEqual([receivedTexts(link.node), link.inbox.length], [['before'], 0]);
      assert.equal(link.node.aead.liveSlots, 0);
    });
  }

  scenario('going down wipes all keys and everything that waits', (world) => {
    const { a, b } = makeConnectedCouple(world);
    a.setPeer(b.device.publicKey!, { persistentKeepaliveSeconds: 5 });
    a.setPeer(UNREACHABLE, { allowedIps: ['10.99.0.0/16'], endpoint: b.address() });
    a.sendPacket(ipPacket({ source: A_INNER, destination: '10.99.0.1', payload: new Uint8Array(8) }));
    a.setLinkUp(false);
    assert.equal(a.device.counters.verdicts[Verdict.DeviceDown], 1, 'the packet that waited is counted');
    assert.equal(a.peer(UNREACHABLE).counters.verdicts[Verdict.DeviceDown], 1);
    assert.deepEqual([a.aead.liveSlots, a.device.nextDeadline()], [0, Infinity]);
    const seen = world.network.eve.totalDatagrams;
    world.advance(100);
    b.sendPacket(packetFromB('refused'));
    world.advance(0);
    assert.equal(world.network.eve.totalDatagrams, seen + 1);
    assert.deepEqual(receivedTexts(a), []);
  });

  scenario('going up again makes a new session at once: no 5 s are waited for', (world) => {
    const { a, b } = makeConnectedCouple(world);
    a.setLinkUp(false);
    a.setLinkUp(true);
    a.sendPacket(packetFromA('again'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['again']);
  });

  scenario('setting the same state again changes nothing', (world) => {
    const { a, b, aPrivate } = makeConnectedCouple(world);
    a.setLinkUp(true);
    a.setPrivateKey(aPrivate);
    a.sendPacket(packetFromA('same session'));
    world.advance(0);
    assert.deepEqual([receivedTexts(b), world.network.eve.seen('initiation').length], [['same session'], 0]);
  });
});

describe('A preshared key', () => {
  scenario('that is changed counts from the next handshake on: the session goes on (§5.2)', (world) => {
    const couple = makeConnectedCouple(world);
    const presharedKey = world.random.bytes(32);
    couple.a.setPeer(couple.bPublic, { presharedKey });
    couple.b.setPeer(couple.aPublic, { presharedKey });
    exchange(world, couple);
    assert.equal(world.network.eve.seen('initiation').length, 0);

    world.advance(200_000);
    couple.a.sendPacket(packetFromA('with the new one'));
    world.advance(0);
    exchange(world, couple);
    assert.equal(world.network.eve.total('initiation'), 2);
  });

  scenario('that differs lets no session come about, and explain() names it (§5.2)', (world) => {
    const { a, b, bPublic, bOfA } = makeCouple(world);
    a.setPeer(bPublic, { presharedKey: world.random.bytes(32) });
    a.sendPacket(packetFromA('waits'));
    world.advance(10_000);
    assert.deepEqual([receivedTexts(b), a.aead.liveSlots], [[], 0]);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /wrong key/);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /preshared/);
    assert.ok(a.device.counters.rejections.get('wrong-response')! >= 1);
  });
});

describe('A new private key', () => {
  scenario('seals nothing more under old sessions, and starts a handshake with the next packet at once', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b } = couple;
    const newPrivate = world.random.bytes(32);
    a.setPrivateKey(newPrivate);
    b.setPeer(publicKeyOf(newPrivate), { allowedIps: [`${A_INNER}/32`] });
    a.sendPacket(packetFromA('under the new key'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['under the new key']);
    assert.equal(world.network.eve.seen('initiation', A_OUTER).length, 1);
  });

  scenario('still opens what is under way under the old one', (world) => {
    const couple = makeConnectedCouple(world);
    world.network.setConditions({ delayMs: 50 });
    couple.b.sendPacket(packetFromB('under way'));
    couple.a.setPrivateKey(world.random.bytes(32));
    world.advance(50);
    assert.deepEqual(receivedTexts(couple.a), ['under way']);
  });

  scenario('while a handshake is under way starts another one: packets that wait are not forgotten', (world) => {
    const { a, b } = makeCouple(world);
    world.network.setConditions({ delayMs: 50 });
    a.sendPacket(packetFromA('waits'));
    world.advance(10);
    const newPrivate = world.random.bytes(32);
    a.setPrivateKey(newPrivate);
    b.setPeer(publicKeyOf(newPrivate), { allowedIps: [`${A_INNER}/32`] });
    world.advance(10_000);
    assert.deepEqual(receivedTexts(b), ['waits']);
  });

  scenario('equal to a peer’s removes that peer; a peer with the own key is ignored', (world) => {
    const { a, bPrivate, aPublic } = makeCouple(world);
    a.setPrivateKey(bPrivate);
    assert.equal(a.device.peerCount, 0);
    a.apply({ peers: [{ publicKey: publicKeyOf(bPrivate), ...NOTHING }] });
    assert.equal(a.device.peerCount, 0);
    a.apply({ peers: [{ publicKey: aPublic, ...NOTHING }] });
    assert.equal(a.device.peerCount, 1);
  });

  scenario('on the other side means silence for the old one', (world) => {
    const { a, b, aOfB, bOfA } = makeCouple(world);
    b.setPrivateKey(world.random.bytes(32));
    b.setPeer(a.device.publicKey!, { endpoint: a.address() });
    a.sendPacket(packetFromA('for the old key'));
    world.advance(20_000);
    assert.equal(world.network.eve.seen('response').length, 0);
    assert.match(explainText(b.device.explain(aOfB, world.nowMs)), /MAC1/);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /No answer for \d+ s/);
  });
});

describe('Removing a peer', () => {
  scenario('wipes its keys and secrets, and nothing that it sends means anything after', (world) => {
    const { a, b, aPublic, aOfB } = makeConnectedCouple(world);
    b.setPeer(aPublic, { presharedKey: world.random.bytes(32) });
    b.removePeer(aPublic);
    assert.deepEqual([b.aead.liveSlots, b.device.nextDeadline(), b.device.peerCount], [0, Infinity, 0]);
    assert.ok(aOfB.presharedKey.every((byte) => byte === 0));

    const seen = world.network.eve.totalDatagrams;
    a.sendPacket(packetFromA('to nobody'));
    world.advance(100);
    assert.deepEqual([b.received.length, world.network.eve.totalDatagrams], [0, seen + 1]);
    b.sendPacket(packetFromB('unroutable'));
    assert.equal(b.device.counters.verdicts[Verdict.NoPeer], 1);
  });

  scenario('in the middle of anything leaves no key and no deadline behind', (world) => {
    for (let stopMs = 0; stopMs <= 120; stopMs += 10) {
      const couple = makeCouple(world);
      world.network.setConditions({ delayMs: 30 });
      couple.a.sendPacket(packetFromA('x'));
      couple.b.setPeer(couple.aPublic, { endpoint: couple.a.address(), persistentKeepaliveSeconds: 1 });
      world.advance(stopMs);
      couple.a.removePeer(couple.bPublic);
      couple.b.removePeer(couple.aPublic);
      world.advance(1_000);
      for (const node of [couple.a, couple.b]) {
        assert.deepEqual([node.aead.liveSlots, node.device.nextDeadline()], [0, Infinity], `${stopMs} ms`);
        node.host.addresses = [];
      }
    }
  });

  scenario('and adding it again starts from nothing, at once', (world) => {
    const { a, b, bPublic } = makeConnectedCouple(world);
    a.removePeer(bPublic);
    a.setPeer(bPublic, { endpoint: b.address(), allowedIps: [`${B_INNER}/32`] });
    a.sendPacket(packetFromA('again'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['again']);
  });

  scenario('of all, by a change that replaces them, keeps the ones that it names as new peers', (world) => {
    const couple = makeConnectedCouple(world);
    couple.a.apply({ replacePeers: true });
    assert.deepEqual([couple.a.device.peerCount, couple.a.aead.liveSlots], [0, 0]);
  });
});

describe('A change of a live peer', () => {
  scenario('of anything but keys leaves its session alone', (world) => {
    const couple = makeConnectedCouple(world);
    const { a, b, bPublic } = couple;
    a.setPeer(bPublic, { allowedIps: [`${B_INNER}/32`, '10.50.0.0/16'], persistentKeepaliveSeconds: 30 });
    a.setPeer(bPublic, { endpoint: b.address(B_OUTER) });
    exchange(world, couple);
    assert.equal(world.network.eve.seen('initiation').length, 0);
  });

  scenario('that gives it an endpoint lets packets go that come from then on', (world) => {
    const { a, b, bPublic } = makeCouple(world, { knowsEndpoint: false });
    a.sendPacket(packetFromA('too early'));
    a.setPeer(bPublic, { endpoint: b.address() });
    a.sendPacket(packetFromA('in time'));
    world.advance(0);
    assert.deepEqual(receivedTexts(b), ['in time']);
  });

  scenario('for update only makes no peer', (world) => {
    const { a } = makeCouple(world);
    a.apply({ peers: [{ publicKey: world.random.bytes(32), ...NOTHING, isUpdateOnly: true }] });
    assert.equal(a.device.peerCount, 1);
  });
});

describe('A device that is closed', () => {
  scenario('has wiped every secret and asks for nothing', (world) => {
    const { a, aPrivate } = makeConnectedCouple(world);
    const bytes = a.device.privateKey!;
    assert.deepEqual(bytes.slice(1, 31), aPrivate.slice(1, 31));
    a.device.close();
    assert.ok(bytes.every((byte) => byte === 0));
    assert.deepEqual([a.aead.liveSlots, a.device.nextDeadline()], [0, Infinity]);
  });
});

const NOTHING = { isRemoval: false, isUpdateOnly: false, replaceAllowedIps: false, allowedIps: [] };

/** A is complete but for one thing; `complete` sees to that. */
function makeUnfinished(world: Simulation, missing: 'link' | 'key'): Couple & { complete: () => void } {
  const couple = makeCouple(world);
  const { a, b, aPrivate, bPublic } = couple;
  a.reboot();
  if (missing === 'link') a.setPrivateKey(aPrivate);
  else a.setLinkUp(true);
  a.setPeer(bPublic, { endpoint: b.address(), allowedIps: [`${B_INNER}/32`] });
  return { ...couple, complete: () => (missing === 'link' ? a.setLinkUp(true) : a.setPrivateKey(aPrivate)) };
}

/** Sends a packet each way, and expects both to arrive. */
function exchange(world: Simulation, couple: Couple): void {
  forget(world, couple);
  couple.a.sendPacket(packetFromA('there'));
  couple.b.sendPacket(packetFromB('and back'));
  world.advance(1_000);
  assert.deepEqual([receivedTexts(couple.b), receivedTexts(couple.a)], [['there'], ['and back']]);
}
