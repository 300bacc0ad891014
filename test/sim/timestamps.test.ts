import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { explainText } from '../../src/control/explain-text.js';
import { peerChange } from '../../src/sim/peer-settings.js';
import { forget, makeConnectedCouple, packetFromA, packetFromB, receivedTexts, restart, textPacket } from './couple.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { tai64nOf } from './scripted-peer.js';

describe('After a reboot', () => {
  for (const who of ['a', 'b'] as const) {
    scenario(
      `of ${who === 'a' ? 'the initiator' : 'the responder'} packets flow again, in both directions`,
      (world) => {
        const couple = makeConnectedCouple(world);
        const { a, b } = couple;
        const send = (): void => {
          a.sendPacket(packetFromA('from a'));
          b.sendPacket(packetFromB('from b'));
          world.after(1_000, send);
        };
        send();
        world.advance(5_000);
        restart(couple, who);
        world.advance(30_000);
        forget(world, couple);
        world.advance(10_000);
        assert.deepEqual([a.received.length, b.received.length], [10, 10]);
      },
    );
  }

  scenario('the first packet of the rebooted side restores the session at once', (world) => {
    const couple = makeConnectedCouple(world);
    restart(couple, 'a');
    couple.a.sendPacket(packetFromA('back'));
    world.advance(0);
    assert.deepEqual(receivedTexts(couple.b), ['back']);
  });
});

describe('TAI64N timestamps', () => {
  scenario('never repeat and never go back in one run, whatever the wall clock does (§5.1)', (world) => {
    const { a, b } = makeConnectedCouple(world);
    for (let i = 0; i < 200; i++) {
      a.wallClock.step(world.random.integer(20_000_000) - 10_000_000);
      world.advance(200_000);
      b.received.length = 0;
      a.sendPacket(packetFromA(`${i}`));
      world.advance(0);
      assert.deepEqual(receivedTexts(b), [`${i}`], 'the responder accepts every one');
    }
  });

  scenario('go on where they were also for a peer that was removed and added again (§5.1)', (world) => {
    const { a, b, bPublic } = makeConnectedCouple(world);
    for (const [afterMs, stepMs] of [
      [10_000, -3_600_000],
      [30, 0],
      [30, 0],
    ] as const) {
      world.advance(afterMs);
      a.removePeer(bPublic);
      a.wallClock.step(stepMs);
      a.setPeer(bPublic, { endpoint: b.address(), allowedIps: ['10.0.0.2/32'] });
      b.received.length = 0;
      a.sendPacket(packetFromA('again'));
      world.advance(0);
      assert.deepEqual(receivedTexts(b), ['again']);
    }
  });

  scenario('are whitened: they tell no time finer than 16 ms (§5.4.2)', (world) => {
    const link = new ScriptedLink(world, {});
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'x'));
    for (let i = 0; i < 20; i++) {
      world.advance(5_600);
      const { timestamp } = link.script.consumeInitiation(link.lastReceived(1));
      assert.equal(Buffer.from(timestamp).readUInt32BE(8) % 2 ** 24, 0);
    }
  });

  scenario('of a rebooted peer with a clock set back are refused, and explain() says so (§5.1)', (world) => {
    const couple = makeConnectedCouple(world);
    restart(couple, 'a');
    couple.a.wallClock.step(-3_600_000);
    couple.a.sendPacket(packetFromA('waits'));
    world.advance(200_000);

    assert.deepEqual(receivedTexts(couple.b), []);
    assert.ok(couple.b.device.counters.rejections.get('replayed-timestamp')! >= 1);
    assert.match(explainText(couple.b.device.explain(couple.aOfB, world.nowMs)), /clock/);
  });

  scenario('stay refused until the peer’s clock has passed the last one, and not longer (§5.1)', (world) => {
    const couple = makeConnectedCouple(world);
    restart(couple, 'a');
    couple.a.wallClock.step(-60_000);
    couple.a.sendPacket(packetFromA('waits'));
    world.advance(70_000);
    assert.deepEqual(receivedTexts(couple.b), ['waits']);
  });

  scenario('that are equal or lower are refused even with a right key: a replayed initiation (§5.1)', (world) => {
    const link = new ScriptedLink(world);
    const initiation = link.initiation();
    link.send(initiation);
    world.advance(1_000);
    link.send(initiation);
    world.advance(1_000);
    link.send(link.initiation({ timestamp: new Uint8Array(12) }));
    assert.equal(link.inbox.length, 1);
    assert.equal(link.node.device.counters.rejections.get('replayed-timestamp'), 2);
  });

  scenario('are compared for the life of the peer, also across sessions, key changes and link down (§5.1)', (world) => {
    const link = new ScriptedLink(world);
    const initiation = link.initiation();
    link.send(initiation);
    link.node.setLinkUp(false);
    link.node.setLinkUp(true);
    world.advance(1_000_000);
    link.send(initiation);
    assert.equal(link.node.device.counters.rejections.get('replayed-timestamp'), 1);
  });

  scenario('stay refused when all peers are replaced by the same ones (§5.1)', (world) => {
    const link = new ScriptedLink(world);
    const initiation = link.initiation();
    link.send(initiation);
    world.advance(1_000);
    const again = peerChange(link.script.staticPublic, { allowedIps: [] });
    link.node.apply({ replacePeers: true, peers: [again] });
    link.send(initiation);
    assert.equal(link.node.device.counters.rejections.get('replayed-timestamp'), 1);
    assert.equal(link.peer.endpoint, undefined);
    link.send(link.initiation());
    assert.equal(link.inbox.length, 2, 'a later one is answered');
  });

  scenario('are forgotten with a peer that is removed: this unlocks a key whose clock was wrong (kernel)', (world) => {
    const link = new ScriptedLink(world);
    link.send(link.initiation({ timestamp: tai64nOf(Date.UTC(2100, 0, 1)) }));
    world.advance(1_000);
    link.node.removePeer(link.script.staticPublic);
    link.node.setPeer(link.script.staticPublic, { allowedIps: [] });
    link.send(link.initiation());
    assert.equal(link.inbox.length, 2);
  });

  scenario('far in the future lock nobody else out: only that peer is bound by its own stamp (§5.1)', (world) => {
    const link = new ScriptedLink(world);
    link.send(link.initiation({ timestamp: new Uint8Array(12).fill(0x7f) }));
    world.advance(1_000);
    assert.equal(link.inbox.length, 1);
    link.send(link.initiation());
    assert.equal(link.inbox.length, 1);
    assert.match(explainText(link.node.device.explain(link.peer, world.nowMs)), /timestamp/);

    link.node.removePeer(link.script.staticPublic); // the way out
    link.node.setPeer(link.script.staticPublic, { allowedIps: [`${SCRIPTED_INNER}/32`] });
    link.send(link.initiation());
    assert.equal(link.inbox.length, 2);
  });
});

describe('The flood guard', () => {
  scenario('accepts one initiation of a peer in 20 ms (kernel)', (world) => {
    const link = new ScriptedLink(world);
    link.send(link.initiation());
    world.advance(19);
    link.send(link.initiation());
    assert.deepEqual([link.inbox.length, link.node.device.counters.rejections.get('flood')], [1, 1]);
    world.advance(1);
    link.send(link.initiation());
    assert.equal(link.inbox.length, 2);
  });
});
