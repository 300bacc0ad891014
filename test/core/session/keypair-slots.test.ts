import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';

import { Keypair } from '../../../src/core/session/keypair.js';
import { KeypairSlots } from '../../../src/core/session/keypair-slots.js';

describe('KeypairSlots', () => {
  let discarded: Keypair[];
  let slots: KeypairSlots<unknown>;
  beforeEach(() => {
    discarded = [];
    slots = new KeypairSlots((keypair) => discarded.push(keypair));
  });

  it('seals at once with a keypair that we initiated, and keeps the one before for what is under way', () => {
    const [first, second, third] = [initiated(), initiated(), initiated()];
    slots.begin(first);
    slots.begin(second);
    assert.deepEqual([slots.previous, slots.current], [first, second]);
    assert.deepEqual(discarded, []);

    slots.begin(third);
    assert.deepEqual([slots.previous, slots.current], [second, third]);
    assert.deepEqual(discarded, [first]);
  });

  it('seals with a keypair that we answered only after the initiator has used it (§5.4.5)', () => {
    const [old, answeredOne] = [initiated(), answered()];
    slots.begin(old);
    slots.begin(answeredOne);
    assert.deepEqual([slots.current, slots.next], [old, answeredOne]);

    assert.equal(slots.confirm(old), false);
    assert.equal(slots.confirm(answeredOne), true);
    assert.deepEqual([slots.previous, slots.current, slots.next], [old, answeredOne, undefined]);
    assert.equal(slots.confirm(answeredOne), false);
  });

  it('drops an answered keypair that was never used when the initiator starts again', () => {
    const [unused, again] = [answered(), answered()];
    slots.begin(unused);
    slots.begin(again);
    assert.equal(slots.next, again);
    assert.deepEqual(discarded, [unused]);
  });

  it('drops the previous keypair as soon as a new one was answered', () => {
    const [first, second, third] = [initiated(), initiated(), answered()];
    slots.begin(first);
    slots.begin(second);
    slots.begin(third);
    assert.deepEqual([slots.previous, slots.current, slots.next], [undefined, second, third]);
    assert.deepEqual(discarded, [first]);
  });

  it('keeps an answered keypair for opening when both sides initiated at once and ours wins', () => {
    const [theirs, ours] = [keypair(false, 0, false), keypair(true, 0, true)];
    slots.begin(theirs);
    slots.begin(ours);
    assert.deepEqual([slots.previous, slots.current, slots.next], [theirs, ours, undefined]);
    assert.deepEqual(discarded, []);
  });

  it('seals with the other side’s keypair in the end when both initiated at once and theirs wins', () => {
    const [theirs, ours] = [keypair(false, 0, true), keypair(true, 0, false)];
    slots.begin(theirs);
    slots.begin(ours);
    assert.deepEqual([slots.previous, slots.current, slots.next], [undefined, ours, theirs]);
    assert.equal(slots.confirm(theirs), true);
    assert.deepEqual([slots.previous, slots.current, slots.next], [ours, theirs, undefined]);
    assert.deepEqual(discarded, []);
  });

  it('goes on with the other side’s keypair when that wins and is confirmed before ours begins', () => {
    const [theirs, ours] = [keypair(false, 0, true), keypair(true, 0, false)];
    slots.begin(theirs);
    slots.confirm(theirs);
    slots.begin(ours);
    assert.deepEqual([slots.previous, slots.current, slots.next], [ours, theirs, undefined]);
    assert.deepEqual(discarded, []);
  });

  it('returns to the keypair that wins when the other side seals with it', () => {
    const [ours, theirs] = [keypair(true, 0, true), keypair(false, 0, false)];
    slots.begin(ours);
    slots.begin(theirs);
    slots.confirm(theirs);
    assert.deepEqual([slots.previous, slots.current], [ours, theirs]);
    assert.equal(slots.confirm(ours), false);
    assert.deepEqual([slots.previous, slots.current], [theirs, ours]);
    slots.confirm(theirs);
    assert.deepEqual([slots.previous, slots.current], [theirs, ours]);
    assert.deepEqual(discarded, []);
  });

  it('does not yield to a keypair of another time, or to one that may not seal', () => {
    const [old, ours] = [keypair(false, 0, true), keypair(true, 5_000, false)];
    slots.begin(old);
    slots.begin(ours);
    assert.deepEqual([slots.previous, slots.current, slots.next], [old, ours, undefined]);

    const [stopped, later] = [keypair(false, 9_000, true), keypair(true, 9_001, false)];
    slots.begin(stopped);
    slots.stopSealing();
    slots.begin(later);
    assert.equal(slots.current, later);
  });

  it('stops sealing without forgetting what is under way', () => {
    const [old, answeredOne] = [initiated(), answered()];
    slots.begin(old);
    slots.begin(answeredOne);
    slots.stopSealing();
    assert.deepEqual([old.isSealing, answeredOne.isSealing], [false, false]);
    assert.deepEqual(discarded, []);
  });

  it('wipes all three', () => {
    const [first, second, third] = [initiated(), initiated(), answered()];
    slots.begin(first);
    slots.begin(second);
    slots.begin(third);
    slots.wipe();
    assert.deepEqual(new Set(discarded), new Set([first, second, third]));
    assert.deepEqual([slots.previous, slots.current, slots.next], [undefined, undefined, undefined]);
  });
});

const initiated = (): Keypair => keypair(true);
const answered = (): Keypair => keypair(false);

function keypair(isInitiator: boolean, createdMs = 0, winsTie = false): Keypair {
  return new Keypair({ peer: {}, keySlot: 0, localIndex: 1, remoteIndex: 2, isInitiator, winsTie, createdMs });
}
