import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { textPacket } from './couple.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { ScriptedPeer, signMessage } from './scripted-peer.js';
import { COOKIE_LATENCY_MS, COOKIE_LIFETIME_MS } from './whitepaper.js';

describe('The receiver of a cookie', () => {
  scenario('uses it from the next message on, until 5 s before it ends (§5.4.4, kernel)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address, persistentKeepaliveSeconds: 1 });
    world.advance(0);
    const cookie = world.random.bytes(16);
    link.send(link.script.createCookieReply(link.lastReceived(1), cookie, world.random.bytes(24)));
    const receivedMs = world.nowMs;
    world.network.eve.clear();
    world.advance(COOKIE_LIFETIME_MS + 20_000);

    for (const { atMs, datagram } of world.network.eve.seen('initiation')) {
      const expected = signMessage(datagram.bytes.slice(), link.script.staticPublic, cookie);
      const hasMac2 = atMs - receivedMs < COOKIE_LIFETIME_MS - COOKIE_LATENCY_MS;
      if (hasMac2) assert.deepEqual(datagram.bytes, expected, `${atMs - receivedMs} ms`);
      else
        assert.ok(
          datagram.bytes.slice(-16).every((byte) => byte === 0),
          `${atMs - receivedMs} ms`,
        );
    }
  });

  scenario('takes one reply per MAC1, and none that it did not ask for (kernel)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(0);
    const initiation = link.lastReceived(1);
    const [first, second] = [world.random.bytes(16), world.random.bytes(16)];
    const other = new ScriptedPeer(world.random.bytes(32), link.nodePublic);
    link.send(other.createCookieReply(initiation, second, world.random.bytes(24)));
    link.send(link.script.createCookieReply(initiation, first, world.random.bytes(24)));
    link.send(link.script.createCookieReply(initiation, second, world.random.bytes(24)));
    const { rejections } = link.node.device.counters;
    assert.deepEqual([rejections.get('cookie'), rejections.get('no-handshake')], [1, 1]);

    world.advance(5_400);
    const next = link.lastReceived(1);
    assert.deepEqual(next, signMessage(next.slice(), link.script.staticPublic, first));
  });

  scenario('does not start again for it: the next attempt comes at its own time (§5.3)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(0);
    link.send(link.script.createCookieReply(link.lastReceived(1), new Uint8Array(16), world.random.bytes(24)));
    world.advance(4_999);
    assert.equal(world.network.eve.seen('initiation').length, 1);
  });

  scenario('takes the cookie for a response as well: a wrong reply first, then the right one (kernel)', (world) => {
    const link = new ScriptedLink(world);
    link.send(link.initiation());
    const response = link.lastReceived(2);
    const cookie = world.random.bytes(16);
    const stranger = new ScriptedPeer(world.random.bytes(32), link.nodePublic);
    link.send(stranger.createCookieReply(response, world.random.bytes(16), world.random.bytes(24)));
    link.send(link.script.createCookieReply(response, cookie, world.random.bytes(24)));
    assert.equal(link.node.device.counters.rejections.get('cookie'), 1);

    world.advance(1_000);
    link.send(link.initiation());
    const next = link.lastReceived(2);
    assert.notDeepEqual(next, response);
    assert.deepEqual(next, signMessage(next.slice(), link.script.staticPublic, cookie));
    link.script.consumeResponse(next);
  });
});
