import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Keypair } from '../../../src/core/session/keypair.js';

describe('Keypair', () => {
  it('seals until REJECT_AFTER_TIME (§6.2)', () => {
    const keypair = keypairAt(1_000);
    assert.equal(keypair.canSeal(180_999), true);
    assert.equal(keypair.canSeal(181_000), false);
    assert.equal(keypair.isExpired(181_000), true);
  });

  it('seals until REJECT_AFTER_MESSAGES, 2^64 − 2^13 − 1 (§6.1)', () => {
    const keypair = keypairAt(0);
    setCounter(keypair, 2n ** 64n - 2n ** 13n - 2n);
    assert.equal(keypair.canSeal(0), true);
    keypair.advanceCounter();
    assert.equal(keypair.canSeal(0), false);
  });

  it('wants a rekey after REKEY_AFTER_MESSAGES, 2^60, on both sides (§6.2)', () => {
    for (const isInitiator of [true, false]) {
      const keypair = keypairAt(0, isInitiator);
      setCounter(keypair, 2n ** 60n - 1n);
      assert.equal(keypair.wantsRekeyOnSend(0), false);
      keypair.advanceCounter();
      assert.equal(keypair.wantsRekeyOnSend(0), true);
    }
  });

  it('wants a rekey after REKEY_AFTER_TIME, as initiator only (§6.2)', () => {
    assert.equal(keypairAt(0, true).wantsRekeyOnSend(119_999), false);
    assert.equal(keypairAt(0, true).wantsRekeyOnSend(120_000), true);
    assert.equal(keypairAt(0, false).wantsRekeyOnSend(120_000), false);
  });

  it('wants a rekey on receipt 165 s after its creation, as initiator only (§6.2)', () => {
    assert.equal(keypairAt(0, true).wantsRekeyOnReceive(164_999), false);
    assert.equal(keypairAt(0, true).wantsRekeyOnReceive(165_000), true);
    assert.equal(keypairAt(0, false).wantsRekeyOnReceive(165_000), false);
  });

  it('carries the counter from the low half into the high one', () => {
    const keypair = keypairAt(0);
    setCounter(keypair, 2n ** 32n - 1n);
    keypair.advanceCounter();
    assert.deepEqual([keypair.sendHigh, keypair.sendLow], [1, 0]);
  });

  it('seals nothing once it is wiped, or the own key has changed', () => {
    const wiped = keypairAt(0);
    wiped.isWiped = true;
    assert.equal(wiped.canSeal(0), false);
    assert.equal(wiped.isExpired(0), true);

    const outdated = keypairAt(0);
    outdated.isSealing = false;
    assert.equal(outdated.canSeal(0), false);
    assert.equal(outdated.isExpired(0), false, 'what is under way may still be opened');
  });
});

function keypairAt(createdMs: number, isInitiator = true): Keypair {
  return new Keypair({
    peer: {},
    keySlot: 0,
    localIndex: 1,
    remoteIndex: 2,
    isInitiator,
    winsTie: true,
    createdMs,
  });
}

function setCounter(keypair: Keypair, counter: bigint): void {
  keypair.sendHigh = Number(counter >> 32n);
  keypair.sendLow = Number(counter & 0xffff_ffffn);
}
