import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createInitiation } from '../../../src/core/handshake/handshake.js';
import { NodeCrypto } from '../../../src/crypto/node-crypto.js';
import { consumeInitiation } from './consume-initiation.js';
import { HandshakePair, TIMESTAMP } from './handshake-pair.js';

describe('a handshake clears every secret', () => {
  it('of a handshake that came to its end', () => {
    const recorder = new SecretRecorder();
    const pair = new HandshakePair();
    const { message, state } = pair.initiate(recorder);
    const consumed = pair.consume(message, recorder);
    const answer = pair.respond(consumed, recorder);
    const keys = pair.conclude(state, answer.message);
    assert.equal(recorder.countUncleared([keys.sendKey, keys.receiveKey]) > 0, true, 'states are not wiped yet');

    for (const secret of [state, consumed, answer.keys, keys]) secret.wipe();
    assert.equal(recorder.countUncleared(), 0);
    assert.ok(state.ephemeralPrivate.every((byte) => byte === 0));
  });

  it('of an initiation that is refused, at every point of refusal', () => {
    const pair = new HandshakePair();
    const { message } = pair.initiate();
    for (const at of [8, 40, 88]) {
      const recorder = new SecretRecorder();
      const changed = message.slice();
      changed[at] ^= 1;
      assert.equal(typeof consumeInitiation(recorder, pair.responder, changed, () => pair.asSeenByResponder), 'string');
      assert.equal(recorder.countUncleared(), 0, `byte ${at}`);
    }
    const recorder = new SecretRecorder();
    consumeInitiation(recorder, pair.responder, message, () => undefined);
    assert.equal(recorder.countUncleared(), 0, 'unknown peer');
  });

  it('of a response that is refused, except the state that waits for the right one', () => {
    const pair = new HandshakePair();
    const recorder = new SecretRecorder();
    const { message, state } = pair.initiate(recorder);
    const answer = pair.respond(pair.consume(message));
    const before = recorder.countUncleared();
    for (const at of [12, 44]) {
      const changed = answer.message.slice();
      changed[at] ^= 1;
      pair.tryConclude(state, changed);
      assert.equal(recorder.countUncleared(), before, `byte ${at}`);
    }
    state.wipe();
    assert.equal(recorder.countUncleared(), 0);
  });

  it('of an initiation that cannot be made', () => {
    const recorder = new SecretRecorder();
    const pair = new HandshakePair();
    const remote = { ...pair.asSeenByInitiator, staticPublic: new Uint8Array(32) };
    assert.equal(
      createInitiation(recorder, pair.initiator, remote, pair.inputs.initiatorEphemeral, 1, TIMESTAMP),
      undefined,
    );
    assert.equal(recorder.countUncleared(), 0);
  });
});

/** Keeps every array that held a shared secret, a chaining key or a key, to see whether it was cleared. */
class SecretRecorder extends NodeCrypto {
  readonly #secrets: Uint8Array[] = [];

  override hmac(out: Uint8Array, key: Uint8Array, ...parts: readonly Uint8Array[]): void {
    super.hmac(out, key, ...parts);
    this.#secrets.push(out);
  }

  override x25519(out: Uint8Array, privateKey: Uint8Array, publicKey: Uint8Array): boolean {
    this.#secrets.push(out);
    return super.x25519(out, privateKey, publicKey);
  }

  countUncleared(except: readonly Uint8Array[] = []): number {
    return this.#secrets.filter((secret) => !except.includes(secret) && secret.some((byte) => byte !== 0)).length;
  }
}
