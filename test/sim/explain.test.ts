import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { explainText } from '../../src/control/explain-text.js';
import type { TunnelNode } from '../../src/sim/tunnel-node.js';
import { A_OUTER, B_OUTER, makeConnectedCouple, makeCouple, packetFromA, packetFromB } from './couple.js';
import { scenario } from './scenario.js';

/** `device.explain(peer)`: the answer to "why is there no session?". Causes that need more of a scene are tested there. */
describe('explain() says', () => {
  scenario('that there is a session', (world) => {
    const { a, bOfA } = makeConnectedCouple(world);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /is a session/);
  });

  scenario('that the link is down, or that there is no private key', (world) => {
    const { a, bOfA } = makeCouple(world);
    a.setLinkUp(false);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /link is down/);
    a.setLinkUp(true);
    a.setPrivateKey(new Uint8Array(32));
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /no private key/);
  });

  scenario('that the peer has no endpoint', (world) => {
    const { b, aOfB } = makeCouple(world);
    assert.match(explainText(b.device.explain(aOfB, world.nowMs)), /no endpoint/);
  });

  scenario('that there was nothing to send yet', (world) => {
    const { a, bOfA } = makeCouple(world);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /nothing to send yet/);
  });

  scenario('that a handshake has just been started, and then for how long there was no answer', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('waits'));
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /just been started/);
    world.advance(42_000);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /No answer for 42 s/);
  });

  scenario('still that there was no answer, after the attempt was given up', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    a.sendPacket(packetFromA('waits'));
    world.advance(120_000);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /No answer for 120 s/);
  });

  scenario('so also while packets keep coming, which prolong the attempt', (world) => {
    const { a, bOfA } = makeCouple(world);
    world.network.partition(A_OUTER, B_OUTER);
    for (let second = 0; second < 300; second++) {
      a.sendPacket(packetFromA('waits'));
      world.advance(1_000);
    }
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /No answer for 300 s/);
    world.network.heal();
    world.advance(6_000);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /is a session/);
  });

  scenario('on the answering side, that our answers may not reach the peer', (world) => {
    const { a, b, aOfB } = makeCouple(world);
    world.network.partitionOneWay(B_OUTER, A_OUTER);
    a.sendPacket(packetFromA('waits'));
    world.advance(12_000);
    assert.match(explainText(b.device.explain(aOfB, world.nowMs)), /answers may not reach/);
  });

  scenario('that the public key of the peer is of no use', (world) => {
    const { a } = makeCouple(world);
    const point = new Uint8Array(32).fill(1, 0, 1);
    a.setPeer(point, { endpoint: a.address() });
    assert.match(explainText(a.device.explain(a.peer(point), world.nowMs)), /low-order/);
  });

  scenario('that the peer uses a public key that we do not know', (world) => {
    const { a, b, aOfB } = makeCouple(world);
    b.setPeer(a.device.publicKey!, { endpoint: a.address() });
    a.setPrivateKey(world.random.bytes(32));
    a.sendPacket(packetFromA('waits'));
    world.advance(1_000);
    assert.match(explainText(b.device.explain(aOfB, world.nowMs)), /another public key/);
  });

  scenario('one sentence that names no key, no address and no packet, whatever the state', (world) => {
    const { a, b, bOfA, aOfB } = makeCouple(world);
    const sentences = new Set<string>();
    const look = (): void => {
      sentences.add(explainText(a.device.explain(bOfA, world.nowMs)));
      sentences.add(explainText(b.device.explain(aOfB, world.nowMs)));
    };
    for (let i = 0; i < 400; i++) {
      disturb(world.random.integer(6), a, b);
      world.advance(world.random.integer(20_000));
      look();
    }
    assert.ok(sentences.size >= 4, [...sentences].join('\n'));
    for (const sentence of sentences) {
      assert.match(sentence, /^[A-Z].*\.$/);
      assert.doesNotMatch(sentence, /\d+\.\d+\.\d+|[0-9a-f]{8}|undefined|NaN/i);
    }
  });

  function disturb(what: number, a: TunnelNode, b: TunnelNode): void {
    const { network } = a.host;
    if (what === 0) network.partition(A_OUTER, B_OUTER);
    if (what === 1) network.heal();
    if (what === 2) a.sendPacket(packetFromA('x'));
    if (what === 3) b.sendPacket(packetFromB('x'));
    if (what === 4) a.setLinkUp(!a.device.isUp);
    if (what === 5) network.partitionOneWay(B_OUTER, A_OUTER);
  }
});
