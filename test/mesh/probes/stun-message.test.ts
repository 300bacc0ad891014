/** Probes: their bytes, and that nothing else is taken for one. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { ProbeAnswers } from '../../../src/mesh/probes/probe-answers.js';
import { ProbeKeys } from '../../../src/mesh/probes/probe-keys.js';
import {
  formatRequest,
  formatResponse,
  hasIntegrity,
  isStun,
  parseStun,
} from '../../../src/mesh/probes/stun-message.js';

const KEY = randomBytes(32);
const TRANSACTION = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

describe('A probe', () => {
  it('has the layout of RFC 8489', () => {
    const bytes = formatRequest(TRANSACTION, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), KEY);
    assert.equal(
      Buffer.from(bytes.subarray(0, 32)).toString('hex'),
      `000100302112a442${'0102030405060708090a0b0c'}00060008${'0102030405060708'}`,
    );
    assert.equal(bytes.length, 20 + 12 + 36);
    assert.equal(isStun(bytes, 0, bytes.length), true);
  });

  it('comes back as it was sent, with either family', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 65_535 }), (mapped, port) => {
        const bytes = formatResponse(TRANSACTION, { address: mapped, port }, KEY);
        const message = parseStun(bytes)!;
        assert.equal(message.isRequest, false);
        assert.deepEqual([...message.mapped!.address, message.mapped!.port], [...mapped, port]);
        assert.ok(hasIntegrity(bytes, message, KEY));
      }),
    );
  });

  it('is refused with any byte changed', () => {
    const bytes = formatRequest(TRANSACTION, randomBytes(8), KEY);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= flip;
        const message = parseStun(changed);
        assert.ok(message === undefined || !hasIntegrity(changed, message, KEY));
      }),
    );
  });

  it('is not found in other bytes, and no bytes make the parser fail', () => {
    const stun = fc
      .uint8Array({ maxLength: 600 })
      .map((rest) => Uint8Array.of(0, 1, 0, rest.length & 0xff, 0x21, 0x12, 0xa4, 0x42, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), stun), (bytes) => {
        const message = parseStun(bytes);
        assert.ok(message === undefined || !hasIntegrity(bytes, message, KEY));
      }),
    );
  });
});

describe('The answer to a probe', () => {
  const [own, other, stranger] = [keys(), keys(), keys()];

  it('goes to a host that is known, and shows it its address', () => {
    const answers = new ProbeAnswers(own.keys);
    const request = requestOf(other, own.publicKey);
    const from = { address: Uint8Array.of(192, 0, 2, 1), port: 4_000 };
    const found = answers.answer(request, parseStun(request)!, from, [stranger.publicKey, other.publicKey], 1_000)!;
    assert.equal(found.publicKey, other.publicKey);
    const response = parseStun(found.response)!;
    assert.ok(hasIntegrity(found.response, response, other.keys.keyFor(own.publicKey)!), 'both ends have one key');
    assert.deepEqual([...response.mapped!.address, response.mapped!.port], [192, 0, 2, 1, 4_000]);
  });

  it('goes to nobody else, and to nobody too often', () => {
    const answers = new ProbeAnswers(own.keys);
    const from = { address: Uint8Array.of(192, 0, 2, 1), port: 4_000 };
    const ask = (bytes: Uint8Array, hosts: readonly Uint8Array[], nowMs: number) =>
      answers.answer(bytes, parseStun(bytes)!, from, hosts, nowMs);
    assert.equal(ask(requestOf(stranger, own.publicKey), [other.publicKey], 0), undefined);
    assert.equal(ask(requestOf(other, stranger.publicKey), [other.publicKey], 0), undefined, 'made for another host');
    const request = requestOf(other, own.publicKey);
    const answered = Array.from({ length: 1_000 }, () => ask(request, [other.publicKey], 5_000)).filter(Boolean);
    assert.ok(answered.length <= 200, `${answered.length} in one moment`);
    assert.ok(answers.refused > 800);
  });

  it('is made with a key of the two hosts, which their private keys alone give', () => {
    const ab = own.keys.keyFor(other.publicKey)!;
    assert.deepEqual(ab, other.keys.keyFor(own.publicKey));
    assert.notDeepEqual(ab, stranger.keys.keyFor(own.publicKey));
    assert.equal(own.keys.keyFor(new Uint8Array(32)), undefined, 'a key of low order gives none');
  });
});

function keys() {
  const { privateKey, publicKey } = generateKeyPair();
  const made = new ProbeKeys(new NodeCrypto());
  made.setPrivateKey(privateKey);
  return { keys: made, publicKey };
}

function requestOf(from: ReturnType<typeof keys>, to: Uint8Array): Uint8Array {
  const transactionId = randomBytes(12);
  return formatRequest(transactionId, from.keys.username(transactionId), from.keys.keyFor(to)!);
}
