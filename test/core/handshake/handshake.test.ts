import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { consumeResponse, createResponse, type TransportKeys } from '../../../src/core/handshake/handshake.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { readVectors } from '../../vectors.js';
import { consumeInitiation } from './consume-initiation.js';
import { HandshakePair, INITIATOR_INDEX, identityOf, RESPONDER_INDEX, TIMESTAMP } from './handshake-pair.js';
import { dh, whitepaperHandshake } from './whitepaper-handshake.js';

const crypto = new NodeCrypto();

describe('handshake', () => {
  it('writes the bytes of §5.4.2 and §5.4.3, and derives the keys of §5.4.5', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.slice());
    const index = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.tuple(key, key, key, key, key), fc.tuple(index, index), (keys, indices) => {
        const pair = new HandshakePair({ keys, initiatorIndex: indices[0], responderIndex: indices[1] });
        const { message, state } = pair.initiate();
        const answer = pair.respond(pair.consume(message));
        const initiatorKeys = pair.conclude(state, answer.message);

        const expected = whitepaperHandshake(pair.inputs);
        assert.deepEqual(message.slice(0, 116), expected.initiation);
        assert.deepEqual(answer.message.slice(0, 60), expected.response);
        assertKeys(initiatorKeys, expected.initiatorSends, expected.responderSends);
        assertKeys(answer.keys, expected.responderSends, expected.initiatorSends);
      }),
      { numRuns: 30 },
    );
  });

  it('leaves both MACs zero, for the one who signs', () => {
    const pair = new HandshakePair();
    const { message } = pair.initiate();
    assert.deepEqual([message.length, message.slice(116)], [148, new Uint8Array(32)]);
    const answer = pair.respond(pair.consume(message));
    assert.deepEqual([answer.message.length, answer.message.slice(60)], [92, new Uint8Array(32)]);
  });

  it('tells the responder who sent the initiation, when, and under which index', () => {
    const pair = new HandshakePair();
    const consumed = pair.consume(pair.initiate().message);
    assert.deepEqual(consumed.staticPublic, pair.initiator.staticPublic);
    assert.deepEqual(consumed.timestamp, TIMESTAMP);
    assert.equal(consumed.senderIndex, INITIATOR_INDEX);
  });

  it('tells each side the index of the other', () => {
    const pair = new HandshakePair();
    const { message, state } = pair.initiate();
    const answer = pair.respond(pair.consume(message));
    assert.equal(answer.keys.remoteIndex, INITIATOR_INDEX);
    assert.equal(pair.conclude(state, answer.message).remoteIndex, RESPONDER_INDEX);
  });

  it('keeps nothing of its arguments: the caller may clear its ephemeral, and the buffer be filled again', () => {
    const pair = new HandshakePair();
    const initiatorEphemeral = pair.inputs.initiatorEphemeral.slice();
    const { message, state } = pair.initiate();
    pair.inputs.initiatorEphemeral.fill(0);
    const expected = whitepaperHandshake({ ...pair.inputs, initiatorEphemeral });

    const buffer = message.slice();
    const consumed = pair.consume(buffer);
    buffer.fill(0xee);
    const answer = pair.respond(consumed);
    assert.deepEqual(answer.message.slice(0, 60), expected.response);
    assertKeys(pair.conclude(state, answer.message), expected.initiatorSends, expected.responderSends);
  });

  it('gives other keys with every pair of ephemerals', () => {
    const seen = new Set<string>();
    for (const fill of [1, 2, 3]) {
      const pair = new HandshakePair();
      pair.inputs.initiatorEphemeral.fill(fill);
      seen.add(Buffer.from(pair.respond(pair.consume(pair.initiate().message)).keys.sendKey).toString('hex'));
      pair.inputs.responderEphemeral.fill(fill);
      seen.add(Buffer.from(pair.respond(pair.consume(pair.initiate().message)).keys.sendKey).toString('hex'));
    }
    assert.equal(seen.size, 6);
  });

  describe('refuses an initiation', () => {
    for (const [field, first, end, reason] of [
      ['ephemeral', 8, 40, 'wrong-key'],
      ['encrypted static', 40, 88, 'wrong-key'],
      ['encrypted timestamp', 88, 116, 'bad-timestamp-tag'],
    ] as const)
      it(`with any bit of its ${field} changed: ${reason}`, () => {
        const pair = new HandshakePair();
        const { message } = pair.initiate();
        for (let at = first; at < end; at++) {
          const changed = message.slice();
          changed[at] ^= 1 << (at % 8);
          assert.equal(pair.tryConsume(changed), reason, `byte ${at}`);
        }
      });

    it('that was made for another responder: wrong-key', () => {
      const pair = new HandshakePair();
      const other = identityOf(new Uint8Array(32).fill(0x77));
      assert.equal(
        consumeInitiation(crypto, other, pair.initiate().message, () => pair.asSeenByResponder),
        'wrong-key',
      );
    });

    it('of a stranger: unknown-peer', () => {
      const pair = new HandshakePair();
      assert.equal(
        consumeInitiation(crypto, pair.responder, pair.initiate().message, () => undefined),
        'unknown-peer',
      );
    });

    it("under a static key that is not the sender's: bad-timestamp-tag", () => {
      const pair = new HandshakePair();
      const impostor = { ...pair.initiator, staticPrivate: new Uint8Array(32).fill(0x66) };
      const known = dh(impostor.staticPrivate, pair.responder.staticPublic);
      const { message } = pair.initiate(crypto, impostor, { ...pair.asSeenByInitiator, staticStatic: known });
      assert.equal(pair.tryConsume(message), 'bad-timestamp-tag');
    });

    it('with a low-order point for its ephemeral, whichever it is: low-order-point', () => {
      const pair = new HandshakePair();
      const { message } = pair.initiate();
      for (const point of lowOrderPoints()) {
        message.set(point, 8);
        assert.equal(pair.tryConsume(message), 'low-order-point');
      }
    });

    it('of a peer with whom there is no static-static secret: low-order-point', () => {
      const pair = new HandshakePair();
      const remote = { ...pair.asSeenByResponder, staticStatic: new Uint8Array(32) };
      assert.equal(
        consumeInitiation(crypto, pair.responder, pair.initiate().message, () => remote),
        'low-order-point',
      );
    });

    it('whatever the bytes, without throwing', () => {
      const pair = new HandshakePair();
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 148, maxLength: 148 }), (message) => {
          assert.equal(typeof pair.tryConsume(message), 'string');
        }),
      );
    });
  });

  describe('refuses a response', () => {
    for (const [field, first, end] of [
      ['ephemeral', 12, 44],
      ['encrypted nothing', 44, 60],
    ] as const)
      it(`with any bit of its ${field} changed, and still takes the right one: wrong-response`, () => {
        const pair = new HandshakePair();
        const { message, state } = pair.initiate();
        const answer = pair.respond(pair.consume(message));
        for (let at = first; at < end; at++) {
          const changed = answer.message.slice();
          changed[at] ^= 1 << (at % 8);
          assert.equal(pair.tryConclude(state, changed), 'wrong-response', `byte ${at}`);
        }
        assertKeys(pair.conclude(state, answer.message), answer.keys.receiveKey, answer.keys.sendKey);
      });

    it('with a low-order point for its ephemeral, and still takes the right one: low-order-point', () => {
      const pair = new HandshakePair();
      const { message, state } = pair.initiate();
      const answer = pair.respond(pair.consume(message));
      for (const point of lowOrderPoints()) {
        const changed = answer.message.slice();
        changed.set(point, 12);
        assert.equal(pair.tryConclude(state, changed), 'low-order-point');
      }
      pair.conclude(state, answer.message);
    });

    it('under another preshared key: wrong-response', () => {
      const pair = new HandshakePair();
      const { message, state } = pair.initiate();
      const answer = pair.respond(pair.consume(message));
      const remote = { ...pair.asSeenByInitiator, presharedKey: new Uint8Array(32) };
      assert.equal(consumeResponse(pair.initiator, remote, state, answer.message), 'wrong-response');
    });

    it('to another initiation: wrong-response', () => {
      const pair = new HandshakePair();
      const { message } = pair.initiate();
      const answer = pair.respond(pair.consume(message));
      pair.inputs.initiatorEphemeral.fill(0x55);
      assert.equal(pair.tryConclude(pair.initiate().state, answer.message), 'wrong-response');
    });

    it('whatever the bytes, without throwing', () => {
      const pair = new HandshakePair();
      const { state } = pair.initiate();
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 92, maxLength: 92 }), (message) => {
          assert.equal(typeof pair.tryConclude(state, message), 'string');
        }),
      );
    });
  });

  describe('sends nothing to a remote key that is a low-order point', () => {
    it('as initiator, by the static-static secret or by the key itself', () => {
      const pair = new HandshakePair();
      const withoutSecret = { ...pair.asSeenByInitiator, staticStatic: new Uint8Array(32) };
      assert.equal(pair.tryInitiate(withoutSecret), undefined);
      for (const staticPublic of lowOrderPoints())
        assert.equal(pair.tryInitiate({ ...pair.asSeenByInitiator, staticPublic }), undefined);
    });

    it('as responder', () => {
      const pair = new HandshakePair();
      const consumed = pair.consume(pair.initiate().message);
      for (const staticPublic of lowOrderPoints()) {
        const remote = { ...pair.asSeenByResponder, staticPublic };
        assert.equal(createResponse(crypto, consumed, remote, pair.inputs.responderEphemeral, 1), undefined);
      }
    });
  });
});

function assertKeys(keys: TransportKeys, sendKey: Uint8Array, receiveKey: Uint8Array): void {
  assert.deepEqual([keys.sendKey, keys.receiveKey], [sendKey, receiveKey]);
}

/** All public keys of Wycheproof that give a secret of zeros. */
function lowOrderPoints(): Uint8Array[] {
  const { testGroups } = readVectors<WycheproofXdh>('wycheproof/x25519_test.json');
  const tests = testGroups.flatMap((group) => group.tests).filter(({ flags }) => flags.includes('ZeroSharedSecret'));
  const points = new Set(tests.map((test) => test.public));
  assert.ok(points.size > 10);
  return [...points].map((point) => new Uint8Array(Buffer.from(point, 'hex')));
}

interface WycheproofXdh {
  readonly testGroups: readonly { readonly tests: readonly { readonly public: string; readonly flags: string[] }[] }[];
}
