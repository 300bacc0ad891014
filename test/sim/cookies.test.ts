import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { explainText } from '../../src/control/explain-text.js';
import type { Datagram } from '../../src/sim/datagram.js';
import { Host } from '../../src/sim/host.js';
import type { Simulation } from '../../src/sim/simulation.js';
import { makeConnectedCouple, packetFromA, packetFromB, receivedTexts, textPacket } from './couple.js';
import { flood, floodFor, saturate } from './flood.js';
import { scenario } from './scenario.js';
import { NODE_INNER, SCRIPTED_INNER, SCRIPTED_OUTER, ScriptedLink } from './scripted-link.js';
import { mac1Of, ScriptedPeer, signMessage } from './scripted-peer.js';
import { COOKIE_LIFETIME_MS, COOKIE_REPLY_BYTES, HANDSHAKE_BURST, HANDSHAKES_PER_SECOND } from './whitepaper.js';

const OTHER_PORT = 5_001;
/** The time that a node with costs needs to drain a flood. */
const DRAIN_MS = 20;
const PROVEN_INITIATIONS = 8;
/** Slower than the rate limit allows. */
const PROVEN_GAP_MS = 60;
/** Some turns of a busy loop. */
const PROVEN_ANSWER_MS = 25;

describe('Under load', () => {
  scenario('an initiation without MAC2 gets a cookie reply, and costs no more than that (§5.3)', (world) => {
    const link = new ScriptedLink(world);
    flood(world, link.node, link.nodePublic);
    const initiation = link.initiation();
    link.send(initiation);
    assert.deepEqual(
      link.inbox.map(({ bytes }) => bytes.length),
      [COOKIE_REPLY_BYTES],
    );
    assert.deepEqual(link.lastReceived(3).slice(4, 8), initiation.slice(4, 8));
    assert.equal(link.node.aead.liveSlots, 0);
  });

  scenario('an initiation with MAC2 is answered (§5.3, §5.4.4)', (world) => {
    const link = new ScriptedLink(world);
    const cookie = fetchCookie(world, link);
    link.send(link.initiation({ cookie }));
    link.script.consumeResponse(link.lastReceived(2));
  });

  scenario('a cookie is good for one address and one port only (§5.4.7)', (world) => {
    const link = new ScriptedLink(world);
    const cookie = fetchCookie(world, link);
    link.host.listen(OTHER_PORT, (datagram) => link.inbox.push(datagram));
    link.host.addresses = [SCRIPTED_OUTER, '192.0.2.10'];

    link.send(link.initiation({ cookie }), OTHER_PORT);
    link.send(link.initiation({ cookie }), link.address.port, '192.0.2.10');
    assert.deepEqual(
      link.inbox.map(({ bytes }) => bytes[0]),
      [3, 3],
      'cookie replies again',
    );
  });

  scenario('a cookie is good for two minutes (§5.4.7)', (world) => {
    const link = new ScriptedLink(world);
    const cookie = fetchCookie(world, link);
    world.advance(COOKIE_LIFETIME_MS - 2_000);
    flood(world, link.node, link.nodePublic);
    link.send(link.initiation({ cookie }));
    assert.equal(link.inbox.at(-1)?.bytes[0], 2, 'shortly before');

    world.advance(2_000);
    flood(world, link.node, link.nodePublic);
    link.send(link.initiation({ cookie }));
    assert.equal(link.inbox.at(-1)?.bytes[0], 3, 'after');
  });

  scenario('a wrong MAC2 gets a cookie reply, and the right one after it is answered (§5.3, §5.4.4)', (world) => {
    const link = new ScriptedLink(world);
    const cookie = fetchCookie(world, link);
    link.send(link.initiation({ cookie: world.random.bytes(16) }));
    assert.equal(link.inbox.at(-1)?.bytes[0], 3);
    link.send(link.initiation({ cookie }));
    link.script.consumeResponse(link.lastReceived(2));
  });

  scenario('responses are asked for a cookie as well (§5.3)', (world) => {
    const link = new ScriptedLink(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
    world.advance(0);
    flood(world, link.node, link.nodePublic);

    const initiation = link.lastReceived(1);
    link.script.consumeInitiation(initiation);
    const { message } = link.script.createResponse(initiation, { ephemeralPrivate: world.random.bytes(32) });
    link.send(message);
    const cookie = link.script.openCookieReply(link.lastReceived(3), mac1Of(message));
    link.send(signMessage(message, link.nodePublic, cookie));
    assert.equal(link.inbox.at(-1)?.bytes[0], 4, 'the packet that waited');
  });

  scenario('every valid MAC1 gets its cookie reply and every MAC2 passes, whoever else is asking', (world) => {
    const link = new ScriptedLink(world);
    const asking = Array.from({ length: 20 }, (_, i) => addStranger(world, link, `192.0.2.${100 + i}`));
    flood(world, link.node, link.nodePublic);
    for (const stranger of asking) stranger.send(stranger.initiation());
    world.advance(0);
    for (const stranger of asking) {
      assert.equal(stranger.inbox.at(-1)?.bytes[0], 3);
      stranger.send(stranger.initiation(stranger.openCookie()));
    }
    world.advance(0);
    for (const stranger of asking) assert.equal(stranger.inbox.at(-1)?.bytes[0], 2);
  });

  scenario('ends a second after the queue was last long; nobody is asked for cookies then (§5.3)', (world) => {
    const link = new ScriptedLink(world);
    flood(world, link.node, link.nodePublic);
    world.advance(999);
    link.send(link.initiation());
    world.advance(1);
    link.send(link.initiation());
    assert.deepEqual(
      link.inbox.map(({ bytes }) => bytes[0]),
      [3, 2],
    );
  });

  scenario('sends no cookie reply when MAC1 is wrong: silence for strangers (§5.1, §5.3)', (world) => {
    const link = new ScriptedLink(world);
    flood(world, link.node, link.nodePublic);
    link.send(signMessage(link.initiation(), world.random.bytes(32)));
    assert.equal(link.inbox.length, 0);
  });

  scenario('a flood from one address leaves the handshakes of others unhurt', (world) => {
    const { a, b } = makeConnectedCouple(world);
    world.advance(600_000);
    const stop = floodFor(world, b, b.device.publicKey!, 1_500);
    world.advance(500);
    a.sendPacket(packetFromA('through the flood'));
    world.advance(11_000);
    stop();
    assert.equal(receivedTexts(b).at(-1), 'through the flood');
  });

  scenario('a flood does not touch a session: every packet of it gets through', (world) => {
    const { a, b } = makeConnectedCouple(world);
    const stop = floodFor(world, b, b.device.publicKey!, 4_000);
    for (let i = 0; i < 100; i++) {
      a.sendPacket(packetFromA(`${i}`));
      b.sendPacket(packetFromB(`${i}`));
      world.advance(20);
    }
    stop();
    assert.deepEqual([a.received.length, b.received.length], [100, 100]);
  });

  scenario(
    'a message with a right MAC2 is served first: a saturating flood with a right MAC1 does not delay it (§5.3)',
    (world) => {
      const link = new ScriptedLink(world);
      const cookie = fetchCookie(world, link);
      const stop = saturate(world, link.node, link.nodePublic);
      for (let i = 0; i < PROVEN_INITIATIONS; i++) {
        world.advance(PROVEN_GAP_MS);
        link.inbox.length = 0;
        link.send(link.initiation({ cookie }));
        world.advance(PROVEN_ANSWER_MS);
        assert.equal(link.inbox.at(-1)?.bytes[0], 2, `initiation ${i}`);
      }
      stop();
    },
    { hasCosts: true },
  );

  scenario(
    'messages with a right MAC2 leave time for cookie replies to others (§5.3)',
    (world) => {
      const link = new ScriptedLink(world);
      const proven = Array.from({ length: 8 }, (_, i) => addStranger(world, link, `192.0.2.${100 + i}`));
      flood(world, link.node, link.nodePublic);
      world.advance(20);
      for (const sender of proven) sender.send(sender.initiation());
      world.advance(20);
      const cookies = proven.map((sender) => sender.openCookie());
      const stop = saturate(world, link.node, link.nodePublic);
      world.advance(100);
      const before = link.node.device.counters.rejections.get('under-load') ?? 0;
      proven.forEach((sender, i) => {
        for (let n = 0; n < HANDSHAKE_BURST; n++) sender.send(sender.initiation(cookies[i]));
      });
      world.advance(20);
      stop();
      const replies = (link.node.device.counters.rejections.get('under-load') ?? 0) - before;
      assert.ok(replies > 50, `${replies} cookie replies`);
      assert.ok(proven.every(({ inbox }) => inbox.at(-1)?.bytes[0] === 2));
    },
    { hasCosts: true },
  );

  scenario('the peer is told in explain(), on both sides', (world) => {
    const { a, b, bOfA, aOfB } = makeConnectedCouple(world);
    world.advance(600_000);
    const stop = floodFor(world, b, b.device.publicKey!, 2_000);
    world.advance(100);
    a.sendPacket(packetFromA('waits'));
    world.advance(100);
    assert.match(explainText(a.device.explain(bOfA, world.nowMs)), /under load/);
    assert.match(explainText(b.device.explain(aOfB, world.nowMs)), /under load/);
    stop();
  });
});

describe('The rate limiter', () => {
  scenario('lets an address go on with 20 handshake messages a second, 5 at once (kernel)', (world) => {
    const link = new ScriptedLink(world);
    const cookie = fetchCookie(world, link);
    world.advance(1_000);
    flood(world, link.node, link.nodePublic);
    const before = link.node.device.counters.rejections.get('rate-limit') ?? 0;
    for (let i = 0; i < HANDSHAKE_BURST + 1; i++) link.send(link.initiation({ cookie }));
    assert.equal((link.node.device.counters.rejections.get('rate-limit') ?? 0) - before, 1);
    world.advance(1_000 / HANDSHAKES_PER_SECOND);
    link.send(link.initiation({ cookie }));
    assert.equal((link.node.device.counters.rejections.get('rate-limit') ?? 0) - before, 1);
  });

  scenario('counts an IPv6 /64 as one address, and two of them as two (kernel)', (world) => {
    for (const [prefix, expected] of [
      ['2001:db8:0:1:', HANDSHAKE_BURST],
      ['2001:db8:0:', HANDSHAKE_BURST + 1],
    ] as const) {
      const link = new ScriptedLink(world);
      const others = Array.from({ length: HANDSHAKE_BURST + 1 }, (_, i) =>
        addStranger(world, link, `${prefix}${i + 1}::5`, '2001:db8::1'),
      );
      flood(world, link.node, link.nodePublic);
      for (const other of others) other.send(other.initiation());
      world.advance(0);
      for (const other of others) other.send(other.initiation(other.openCookie()));
      world.advance(0);
      const answered = others.filter(({ inbox }) => inbox.at(-1)?.bytes[0] === 2).length;
      assert.equal(answered, expected, prefix);
      for (const other of others) other.host.addresses = [];
      link.host.addresses = [];
      link.node.host.addresses = [];
    }
  });
});

interface Stranger {
  readonly host: Host;
  readonly inbox: Datagram[];
  send(message: Uint8Array): void;
  initiation(cookie?: Uint8Array): Uint8Array;
  openCookie(): Uint8Array;
}

/** Another peer of the link's node, at an address of its own. */
function addStranger(world: Simulation, link: ScriptedLink, address: string, to = '192.0.2.1'): Stranger {
  const script = new ScriptedPeer(world.random.bytes(32), link.nodePublic);
  link.node.setPeer(script.staticPublic, { allowedIps: [] });
  const host = new Host('stranger', world.network, [address]);
  const inbox: Datagram[] = [];
  let last: Uint8Array = new Uint8Array(148);
  host.listen(7, (datagram) => inbox.push(datagram));
  return {
    host,
    inbox,
    send: (bytes) => host.send({ port: 7, to: link.node.address(to), bytes }),
    initiation: (cookie) => {
      last = script.createInitiation({
        timestamp: link.nextTimestamp(),
        ephemeralPrivate: world.random.bytes(32),
        senderIndex: world.random.next32(),
        ...(cookie === undefined ? {} : { cookie }),
      });
      return last;
    },
    openCookie: () => script.openCookieReply(inbox.at(-1)!.bytes, mac1Of(last)),
  };
}

/** Asks for a cookie under load, and opens it. */
function fetchCookie(world: Simulation, link: ScriptedLink): Uint8Array {
  flood(world, link.node, link.nodePublic);
  world.advance(DRAIN_MS);
  const initiation = link.initiation();
  link.send(initiation);
  world.advance(DRAIN_MS);
  const cookie = link.script.openCookieReply(link.lastReceived(3), mac1Of(initiation));
  link.inbox.length = 0;
  return cookie;
}
