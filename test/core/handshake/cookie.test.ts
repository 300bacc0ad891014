import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';

import { CookieChecker, CookieJar } from '../../../src/core/handshake/cookie.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { ENDPOINT_BYTES, Endpoint } from '../../../src/wire/endpoint.js';
import { messageType } from '../../../src/wire/messages.js';
import { addressBytes } from '../address-bytes.js';
import { seededEnvironment } from '../seeded-environment.js';
import { hash, mac } from './whitepaper-handshake.js';

const crypto = new NodeCrypto();
const PUBLIC_KEY = new Uint8Array(32).fill(0x42);
const HERE = endpoint('192.0.2.1', 51_820);
const MINUTE_MS = 60_000;

for (const [name, makeMessage] of [
  ['initiation', initiation],
  ['response', response],
] as const)
  describe(`MAC1 of a handshake ${name}`, () => {
    it('is the MAC of all before it, under a key made of the receiver’s public key (§5.4.4)', () => {
      const message = signed(makeMessage());
      const key = hash(ascii('mac1----'), PUBLIC_KEY);
      assert.deepEqual(message.slice(-32, -16), mac(key, message.slice(0, -32)));
      assert.deepEqual(message.slice(-16), new Uint8Array(16), 'no MAC2 without a cookie');
    });

    it('is right for this receiver, and wrong after any change before MAC2', () => {
      const message = signed(makeMessage());
      const checker = checkerOf(PUBLIC_KEY);
      assert.equal(checker.hasValidMac1(message), true);
      for (let at = 0; at < message.length; at++) {
        const changed = message.slice();
        changed[at] ^= 1 << (at % 8);
        assert.equal(checker.hasValidMac1(changed), at >= message.length - 16, `byte ${at}`);
      }
    });

    it('is wrong for another receiver', () => {
      assert.equal(checkerOf(new Uint8Array(32).fill(0x43)).hasValidMac1(signed(makeMessage())), false);
    });

    it('covers exactly the message, wherever it lies in a buffer', () => {
      const message = signed(makeMessage());
      const buffer = new Uint8Array(300).fill(0xee);
      buffer.set(message, 17);
      assert.equal(checkerOf(PUBLIC_KEY).hasValidMac1(buffer.subarray(17, 17 + message.length)), true);
    });

    it('lets the jar write nothing but the two MACs', () => {
      const before = makeMessage().fill(0xaa, -32);
      const after = signed(before.slice());
      assert.deepEqual(after.slice(0, -32), before.slice(0, -32));
    });
  });

describe('CookieChecker without a public key', () => {
  it('takes no MAC1 for right, before one is set and after it is taken away', () => {
    const message = signed(initiation());
    const checker = new CookieChecker(crypto, seededEnvironment());
    assert.equal(checker.hasValidMac1(message), false);
    checker.setPublicKey(PUBLIC_KEY);
    assert.equal(checker.hasValidMac1(message), true);
    checker.setPublicKey(undefined);
    assert.equal(checker.hasValidMac1(message), false);
    assert.throws(() => checker.createReply(message, HERE.bytes, 0, 0), /public key/);
  });
});

describe('cookie reply', () => {
  it('names the sender’s index, and holds the cookie sealed under MAC1 of its message (§5.4.7)', () => {
    const message = signed(initiation());
    const reply = checkerOf(PUBLIC_KEY).createReply(message, HERE.bytes, 0, 0);

    assert.equal(messageType(reply, 0, reply.length), 3);
    assert.deepEqual(reply.slice(4, 8), message.slice(4, 8));
    const key = hash(ascii('cookie--'), PUBLIC_KEY);
    const mac1 = message.slice(-32, -16);
    const cookie = xchacha20poly1305(key, reply.slice(8, 32), mac1).decrypt(reply.slice(32));
    assert.equal(cookie.length, 16);
    message.set(mac(cookie, message.slice(0, -16)), message.length - 16);
    const checker = checkerOf(PUBLIC_KEY);
    checker.createReply(message, HERE.bytes, 0, 0);
    assert.equal(checker.hasValidMac2(message, HERE.bytes, 0, 0), true, 'MAC2 is the MAC of all before it');
  });

  it('takes a new nonce each time, for the same cookie', () => {
    const { checker, jar } = pair();
    const message = signed(initiation(), jar);
    const [one, other] = [0, 0].map((nowMs) => checker.createReply(message, HERE.bytes, 0, nowMs));
    assert.notDeepEqual(one.slice(8, 32), other.slice(8, 32));
  });

  it('gives the sender a MAC2 that is right, for both kinds of message', () => {
    for (const makeMessage of [initiation, response]) {
      const { checker, jar } = pair();
      const message = signed(makeMessage(), jar);
      assert.equal(checker.hasValidMac2(message, HERE.bytes, 0, 0), false);
      assert.equal(jar.consumeReply(checker.createReply(message, HERE.bytes, 0, 0), 0), true);
      assert.equal(checker.hasValidMac2(signed(makeMessage(), jar), HERE.bytes, 0, 0), true);
    }
  });

  it('is good for one answer to one message: a second reply to the same MAC1 is refused', () => {
    const { checker, jar } = pair();
    const message = signed(initiation(), jar);
    const [first, second] = [
      checker.createReply(message, HERE.bytes, 0, 0),
      checker.createReply(message, HERE.bytes, 0, 0),
    ];
    assert.equal(jar.consumeReply(first, 0), true);
    assert.equal(jar.consumeReply(first, 0), false);
    assert.equal(jar.consumeReply(second, 0), false);
  });

  it('is refused before anything was sent', () => {
    const { checker, jar } = pair();
    assert.equal(jar.consumeReply(checker.createReply(initiation(), HERE.bytes, 0, 0), 0), false);
  });

  it('is refused when it answers an earlier message', () => {
    const { checker, jar } = pair();
    const reply = checker.createReply(signed(initiation(1), jar), HERE.bytes, 0, 0);
    signed(initiation(2), jar);
    assert.equal(jar.consumeReply(reply, 0), false);
  });

  it('is refused after any change of nonce, cookie or tag, and the right one is still taken', () => {
    const { checker, jar } = pair();
    const reply = checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 0);
    for (let at = 8; at < 64; at++) {
      const changed = reply.slice();
      changed[at] ^= 1 << (at % 8);
      assert.equal(jar.consumeReply(changed, 0), false, `byte ${at}`);
    }
    assert.equal(jar.hasCookie(0), false);
    assert.equal(jar.consumeReply(reply, 0), true);
  });

  it('is refused when it comes from another peer', () => {
    const { jar } = pair();
    const message = signed(initiation(), jar);
    const other = checkerOf(new Uint8Array(32).fill(0x43));
    assert.equal(jar.consumeReply(other.createReply(message, HERE.bytes, 0, 0), 0), false);
  });

  it('never throws, whatever the bytes', () => {
    const { jar } = pair();
    signed(initiation(), jar);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (reply) => {
        assert.equal(jar.consumeReply(reply, 0), false);
      }),
    );
  });
});

describe('cookie', () => {
  it('is for one address and one port (§5.4.7)', () => {
    const { checker, jar } = pair();
    const message = signed(initiation(), jar);
    jar.consumeReply(checker.createReply(message, HERE.bytes, 0, 0), 0);
    const next = signed(initiation(), jar);

    assert.equal(checker.hasValidMac2(next, HERE.bytes, 0, 0), true);
    for (const elsewhere of [
      endpoint('192.0.2.2', 51_820),
      endpoint('192.0.2.1', 51_821),
      endpoint('192.0.2.1', 51_564),
    ])
      assert.equal(checker.hasValidMac2(next, elsewhere.bytes, 0, 0), false);
  });

  it('is for all of an IPv6 address', () => {
    const { checker, jar } = pair();
    const here = endpoint('2001:db8::1', 1);
    jar.consumeReply(checker.createReply(signed(initiation(), jar), here.bytes, 0, 0), 0);
    const next = signed(initiation(), jar);
    assert.equal(checker.hasValidMac2(next, here.bytes, 0, 0), true);
    assert.equal(checker.hasValidMac2(next, endpoint('2001:db8::2', 1).bytes, 0, 0), false);
    assert.equal(checker.hasValidMac2(next, endpoint('2001:db8::1', 2).bytes, 0, 0), false);
  });

  it('is for one path', () => {
    const { checker, jar } = pair();
    const here = Endpoint.forPath(new Uint8Array(16).fill(1));
    jar.consumeReply(checker.createReply(signed(initiation(), jar), here.bytes, 0, 0), 0);
    const next = signed(initiation(), jar);
    assert.equal(checker.hasValidMac2(next, here.bytes, 0, 0), true);
    assert.equal(checker.hasValidMac2(next, Endpoint.forPath(new Uint8Array(16).fill(1, 1)).bytes, 0, 0), false);
  });

  it('does not depend on the local address that the message came to', () => {
    const { checker, jar } = pair();
    jar.consumeReply(checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 0), 0);
    const withSource = HERE.clone();
    withSource.words.fill(7, 6);
    assert.equal(checker.hasValidMac2(signed(initiation(), jar), withSource.bytes, 0, 0), true);
  });

  it('is made for the record at the given byte', () => {
    const { checker, jar } = pair();
    const records = Uint8Array.of(...endpoint('198.51.100.9', 9).bytes, ...HERE.bytes);
    jar.consumeReply(checker.createReply(signed(initiation(), jar), records, ENDPOINT_BYTES, 0), 0);
    const next = signed(initiation(), jar);
    assert.equal(checker.hasValidMac2(next, HERE.bytes, 0, 0), true);
    assert.equal(checker.hasValidMac2(next, records, ENDPOINT_BYTES, 0), true);
    assert.equal(checker.hasValidMac2(next, records, 0, 0), false);
  });

  it('covers MAC1 and the fields: any change makes MAC2 wrong', () => {
    const { checker, jar } = pair();
    jar.consumeReply(checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 0), 0);
    const next = signed(initiation(), jar);
    for (let at = 0; at < next.length; at++) {
      const changed = next.slice();
      changed[at] ^= 1 << (at % 8);
      assert.equal(checker.hasValidMac2(changed, HERE.bytes, 0, 0), false, `byte ${at}`);
    }
  });

  it('is used by the sender for two minutes less five seconds (§5.4.7)', () => {
    const { checker, jar } = pair();
    jar.consumeReply(checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 1_000), 1_000);
    const lastUseMs = 1_000 + 2 * MINUTE_MS - 5_000 - 1;

    assert.equal(jar.hasCookie(lastUseMs), true);
    assert.notDeepEqual(signed(initiation(), jar, lastUseMs).slice(-16), new Uint8Array(16));
    assert.equal(jar.hasCookie(lastUseMs + 1), false);
    assert.deepEqual(signed(initiation(), jar, lastUseMs + 1).slice(-16), new Uint8Array(16));
  });

  it('is taken by the receiver until its secret is two minutes old (§5.4.7)', () => {
    const { checker, jar } = pair();
    jar.consumeReply(checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 1_000), 1_000);
    const next = signed(initiation(), jar);
    assert.equal(checker.hasValidMac2(next, HERE.bytes, 0, 1_000 + 2 * MINUTE_MS - 1), true);
    assert.equal(checker.hasValidMac2(next, HERE.bytes, 0, 1_000 + 2 * MINUTE_MS), false);
  });

  it('does not outlive its secret: the next reply brings a new one', () => {
    const { checker, jar } = pair();
    jar.consumeReply(checker.createReply(signed(initiation(), jar), HERE.bytes, 0, 0), 0);
    const old = signed(initiation(), jar);
    checker.createReply(old, HERE.bytes, 0, 2 * MINUTE_MS);
    assert.equal(checker.hasValidMac2(old, HERE.bytes, 0, 2 * MINUTE_MS), false);

    jar.consumeReply(checker.createReply(old, HERE.bytes, 0, 2 * MINUTE_MS), 2 * MINUTE_MS);
    const renewed = signed(initiation(), jar, 2 * MINUTE_MS);
    assert.equal(checker.hasValidMac2(renewed, HERE.bytes, 0, 2 * MINUTE_MS), true);
  });

  it('is not guessed: with no secret yet, no MAC2 is right', () => {
    const checker = checkerOf(PUBLIC_KEY);
    const message = signed(initiation());
    const source = Uint8Array.of(192, 0, 2, 1, 51_820 >> 8, 51_820 & 0xff);
    message.set(mac(mac(new Uint8Array(32), source), message.slice(0, -16)), message.length - 16);
    assert.equal(checker.hasValidMac2(message, HERE.bytes, 0, 0), false);
    assert.equal(checker.hasValidMac2(message, HERE.bytes, 0, 2 * MINUTE_MS), false);
  });
});

function pair(): { checker: CookieChecker; jar: CookieJar } {
  return { checker: checkerOf(PUBLIC_KEY), jar: new CookieJar(crypto, PUBLIC_KEY) };
}

function checkerOf(publicKey: Uint8Array): CookieChecker {
  const checker = new CookieChecker(crypto, seededEnvironment());
  checker.setPublicKey(publicKey);
  return checker;
}

function signed(message: Uint8Array, jar = new CookieJar(crypto, PUBLIC_KEY), nowMs = 0): Uint8Array {
  jar.sign(message, nowMs);
  return message;
}

function initiation(fill = 0x5a): Uint8Array {
  return Uint8Array.of(1, 0, 0, 0, 0xd1, 0xd2, 0xd3, 0xd4, ...new Array<number>(140).fill(fill));
}

function response(fill = 0xa5): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, 0xd1, 0xd2, 0xd3, 0xd4, ...new Array<number>(84).fill(fill));
}

function endpoint(ip: string, port: number): Endpoint {
  return Endpoint.from(addressBytes(ip), port);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
