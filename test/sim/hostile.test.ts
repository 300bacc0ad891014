import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Verdict } from '../../src/core/packets/verdict.js';
import type { Simulation } from '../../src/sim/simulation.js';
import { SocketAddress } from '../../src/sim/socket-address.js';
import { receivedTexts, textPacket } from './couple.js';
import { flippedBits, type Template, withByte } from './mutations.js';
import { snapshotDifferences, takeSnapshot } from './object-snapshot.js';
import { scenario } from './scenario.js';
import { NODE_INNER, padded, SCRIPTED_INNER, ScriptedLink } from './scripted-link.js';
import { ScriptedPeer, type ScriptedSession, sealMessage, signMessage } from './scripted-peer.js';

const MAX_UDP_PAYLOAD = 65_507;
/** Where MAC2 starts, from the end of a message: it is not looked at unless the device is under load (§5.3). */
const MAC2_BYTES = 16;
const MACS_BYTES = 32;

/**
 * Fields that a refused message may change: counters, the input of `explain`, lazily allocated parts, and scratch
 * memory.
 */
const ALLOWED_CHANGES = [
  /\.counters\b/,
  /#counters\b/,
  /\.#?refusals\b/,
  /\.lastTrouble\b/,
  /#staticStatic\b/,
  /\.outbox\b/,
  /\.replies\b/,
  /#exchange\.#endpoint\b/,
  /aead\.#inner\.#nonce\b/,
  /\.#?queue\.#\w+\.#(bytes|endpoints|lengths|first)\b/,
];

describe('Whatever is wrong with a message, there is silence, a counter, and no other change:', () => {
  for (const [state, prepare] of STATES()) {
    scenario(`every bit flipped, ${state}`, (world) => {
      const link = prepare(world);
      expectRefusal(link, flippedBits(templates(link)));
    });

    scenario(`every truncation, and one to 32 bytes too many, ${state}`, (world) => {
      const link = prepare(world);
      const messages = templates(link).flatMap(({ bytes }) => [
        ...Array.from({ length: bytes.length }, (_, length) => bytes.slice(0, length)),
        ...Array.from({ length: 32 }, (_, extra) => Buffer.concat([bytes, new Uint8Array(extra + 1)])),
      ]);
      expectRefusal(link, messages);
    });

    scenario(`every other type, and reserved bytes that are not zero, ${state}`, (world) => {
      const link = prepare(world);
      const messages = templates(link).flatMap(({ bytes }) => [
        ...Array.from({ length: 255 }, (_, i) => withByte(bytes, 0, bytes[0]! + 1 + i)),
        ...[1, 2, 3].flatMap((at) => [1, 0x80, 0xff].map((byte) => withByte(bytes, at, byte))),
      ]);
      expectRefusal(link, messages);
    });

    scenario(`every bit flipped by someone who knows our public key and computes MAC1 again, ${state}`, (world) => {
      const link = prepare(world);
      const handshakes = templates(link).filter(({ bytes }) => bytes[0] === 1 || bytes[0] === 2);
      // The sender index is not part of what the handshake authenticates, so a change of it would be accepted.
      const messages = flippedBits(handshakes.map(({ bytes }) => ({ bytes, from: 8, to: bytes.length - MACS_BYTES })));
      expectRefusal(
        link,
        messages.map((message) => signMessage(message, link.nodePublic)),
      );
    });
  }

  scenario('replayed, each of the four types', (world) => {
    const link = connected(world);
    const cookie = world.random.bytes(16);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    world.advance(190_000);
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'asks for a session'));
    world.advance(0);
    const initiation = link.lastReceived(1);
    const cookieReply = link.script.createCookieReply(initiation, cookie, world.random.bytes(24));
    link.send(cookieReply);
    link.script.consumeInitiation(initiation);
    const { message: response, session } = link.script.createResponse(initiation, {
      ephemeralPrivate: world.random.bytes(32),
      senderIndex: 77,
    });
    link.send(response);
    const data = sealMessage(session, 0n, padded(textPacket(SCRIPTED_INNER, NODE_INNER, 'once')));
    link.send(data);
    const own = link.initiation();
    link.send(own);
    expectRefusal(link, [own, response, cookieReply, data]);
    expectRefusal(link, [own, response, cookieReply, data]);
    assert.deepEqual(receivedTexts(link.node), ['once']);
  });

  scenario('our own messages, thrown back at us', (world) => {
    const link = connected(world);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'x'));
    world.advance(190_000);
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'y'));
    world.advance(0);
    expectRefusal(
      link,
      link.inbox.map(({ bytes }) => bytes),
    );
  });

  scenario('a public key of zeros, one that is unknown, and one that is not the sender’s', (world) => {
    const link = connected(world);
    const stranger = new ScriptedPeer(world.random.bytes(32), link.nodePublic);
    const other = new ScriptedPeer(world.random.bytes(32), link.nodePublic);
    link.node.setPeer(other.staticPublic, { allowedIps: ['10.0.0.77/32'] });
    const initiation = (peer: ScriptedPeer, staticPublic: Uint8Array): Uint8Array =>
      peer.createInitiation({
        timestamp: link.nextTimestamp(),
        ephemeralPrivate: world.random.bytes(32),
        staticPublic,
      });
    expectRefusal(link, [
      initiation(link.script, new Uint8Array(32)),
      initiation(stranger, stranger.staticPublic),
      initiation(stranger, other.staticPublic),
      initiation(link.script, other.staticPublic),
      initiation(link.script, link.nodePublic),
    ]);
    assert.deepEqual(
      [...link.node.device.counters.rejections].filter(([reason]) => reason === 'unknown-peer').map(([, n]) => n),
      [3],
    );
  });

  scenario('a handshake for another public key, and for our old one (§5.4.4)', (world) => {
    const link = connected(world);
    const lost = new ScriptedPeer(link.script.staticPrivate, world.random.bytes(32));
    const initiation = lost.createInitiation({
      timestamp: link.nextTimestamp(),
      ephemeralPrivate: world.random.bytes(32),
    });
    const old = link.initiation();
    link.node.setPrivateKey(world.random.bytes(32));
    expectRefusal(link, [initiation, old]);
    assert.equal(link.node.device.counters.rejections.get('mac1'), 2);
  });

  scenario('data for an index that waits for a response, and responses for one that has a session', (world) => {
    const link = connected(world);
    world.advance(190_000);
    link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
    link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'x'));
    world.advance(0);
    const initiation = link.lastReceived(1);
    const data = new Uint8Array(64);
    data[0] = 4;
    data.set(initiation.slice(4, 8), 4);
    expectRefusal(link, [data]);

    link.script.consumeInitiation(initiation);
    const { message } = link.script.createResponse(initiation, { ephemeralPrivate: world.random.bytes(32) });
    link.send(message);
    const second = link.script.createResponse(initiation, { ephemeralPrivate: world.random.bytes(32) });
    expectRefusal(link, [second.message]);
  });

  scenario('random bytes of random lengths, 20,000 times', (world) => {
    const link = connected(world);
    const messages = Array.from({ length: 20_000 }, () => {
      const bytes = world.random.bytes(world.random.integer(200));
      if (bytes.length >= 4 && world.random.chance(0.7)) bytes.set([1 + world.random.integer(4), 0, 0, 0]);
      return bytes;
    });
    expectRefusal(link, messages);
  });
});

describe('Datagrams of every length from 0 to 65,507', () => {
  for (const [state, prepare] of STATES()) {
    scenario(`of every type, harm nothing ${state}`, (world) => {
      const link = prepare(world);
      const session = sessions.get(link);
      const from = new SocketAddress('203.0.113.5', 9);
      const to = link.node.address();
      const before = takeSnapshot(link.node.device, ALLOWED_CHANGES);
      const big = world.random.bytes(MAX_UDP_PAYLOAD);
      for (const type of [0, 1, 2, 3, 4]) {
        big.set([type, 0, 0, 0]);
        if (session !== undefined) new DataView(big.buffer).setUint32(4, session.remoteIndex, true);
        // Data for the session costs a decryption each: not every length of that beyond the common sizes.
        const step = type === 4 && session !== undefined ? 7 : 1;
        for (let length = 0; length <= MAX_UDP_PAYLOAD; length += length < 2_048 ? 1 : step)
          link.node.receive([{ from, to, bytes: big.subarray(0, length), trafficClass: 0 }]);
      }
      assert.deepEqual(snapshotDifferences(before, takeSnapshot(link.node.device, ALLOWED_CHANGES)), []);
      assert.equal(link.node.received.length, 0);
      assert.equal(link.inbox.length, inboxLengths.get(link));
      link.send(link.initiation());
      link.script.consumeResponse(link.lastReceived(2)); // and a handshake works as before
    });
  }
});

const sessions = new WeakMap<ScriptedLink, ScriptedSession>();
const inboxLengths = new WeakMap<ScriptedLink, number>();

/** The states of the device in which a bad message may arrive. */
function STATES(): [string, (world: Simulation) => ScriptedLink][] {
  return [
    ['before any handshake', unconnected],
    ['while a response is awaited', awaiting],
    ['with a session', connected],
  ];
}

function unconnected(world: Simulation): ScriptedLink {
  return settled(new ScriptedLink(world), world);
}

function awaiting(world: Simulation): ScriptedLink {
  const link = new ScriptedLink(world);
  link.node.setPeer(link.script.staticPublic, { endpoint: link.address });
  link.node.sendPacket(textPacket(NODE_INNER, SCRIPTED_INNER, 'waits'));
  world.advance(0);
  return settled(link, world);
}

function connected(world: Simulation): ScriptedLink {
  const link = new ScriptedLink(world);
  const session = link.connectAsInitiator();
  sessions.set(link, session);
  link.send(sealMessage(session, 0n, new Uint8Array(0)));
  return settled(link, world);
}

function settled(link: ScriptedLink, world: Simulation): ScriptedLink {
  world.advance(1_000);
  inboxLengths.set(link, link.inbox.length);
  return link;
}

/** A message of each type that would be right in the present state, as far as there is one. None is sent. */
function templates(link: ScriptedLink): Template[] {
  const right = [link.initiation(), cookieReplyFor(link)];
  const pending = link.inbox.findLast(({ bytes }) => bytes[0] === 1)?.bytes;
  if (pending !== undefined) {
    link.script.consumeInitiation(pending);
    right.push(link.script.createResponse(pending, { ephemeralPrivate: new Uint8Array(32).fill(9) }).message);
  } else {
    const response = new Uint8Array(92).fill(1, 4);
    response[0] = 2;
    right.push(signMessage(response, link.nodePublic));
  }
  const session = sessions.get(link) ?? { ...NO_SESSION, sendKey: new Uint8Array(32), receiveKey: new Uint8Array(32) };
  right.push(sealMessage(session, 1n, padded(textPacket(SCRIPTED_INNER, NODE_INNER, 'right'))));
  return right.map((bytes) => ({ bytes, from: 0, to: bytes.length - (bytes[0]! < 3 ? MAC2_BYTES : 0) }));
}

const NO_SESSION = { localIndex: 1, remoteIndex: 2 };

function cookieReplyFor(link: ScriptedLink): Uint8Array {
  const pending = link.inbox.findLast(({ bytes }) => bytes[0] === 1)?.bytes ?? new Uint8Array(148);
  return link.script.createCookieReply(pending, new Uint8Array(16).fill(3), new Uint8Array(24).fill(4));
}

/** Sends every message, and compares the whole device before and after. */
function expectRefusal(link: ScriptedLink, messages: readonly Uint8Array[]): void {
  const { device } = link.node;
  const before = takeSnapshot(device, ALLOWED_CHANGES);
  const counted = refusals(link);
  const heard = { packets: link.node.received.length, datagrams: link.inbox.length };

  for (const message of messages) link.send(message);

  assert.equal(refusals(link) - counted, messages.length, 'each was counted once');
  assert.deepEqual({ packets: link.node.received.length, datagrams: link.inbox.length }, heard);
  assert.deepEqual(snapshotDifferences(before, takeSnapshot(device, ALLOWED_CHANGES)), []);
}

/** Messages that were refused so far: by verdict, or queued and then refused with a reason. */
function refusals(link: ScriptedLink): number {
  const { verdicts, rejections } = link.node.device.counters;
  const isRefusal = (verdict: number): boolean =>
    verdict !== Verdict.Pass &&
    verdict !== Verdict.Keepalive &&
    verdict !== Verdict.Handshake &&
    verdict < Verdict.NoPeer;
  const byVerdict = verdicts.reduce((sum, count, verdict) => sum + (isRefusal(verdict) ? count : 0), 0);
  return byVerdict + [...rejections.values()].reduce((sum, count) => sum + count, 0);
}
