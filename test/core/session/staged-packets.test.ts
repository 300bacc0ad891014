import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { ByteBudget } from '../../../src/core/session/byte-budget.js';
import { StagedPackets } from '../../../src/core/session/staged-packets.js';

/** The room of one peer, as in the kernel. */
const MAX_STAGED_PACKETS = 128;
const BUDGET_BYTES = 1_000_000;

describe('StagedPackets', () => {
  it('gives packets back in order, with their traffic class', () => {
    const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
    staged.push(Uint8Array.of(9, 1, 2, 3, 9), 1, 3, 0xb8);
    staged.push(Uint8Array.of(4, 5), 0, 2, 0x02);
    assert.equal(staged.count, 2);

    const out = new Uint8Array(8);
    assert.deepEqual([staged.peekLength(), staged.headTrafficClass], [3, 0xb8]);
    assert.equal(staged.shiftInto(out, 1), 3);
    assert.deepEqual([staged.peekLength(), staged.headTrafficClass], [2, 0x02]);
    assert.equal(staged.shiftInto(out, 6), 2);
    assert.deepEqual([...out], [0, 1, 2, 3, 0, 0, 4, 5]);
    assert.equal(staged.count, 0);
  });

  it('keeps copies, since the batch is filled again', () => {
    const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
    const batchBytes = Uint8Array.of(1, 2, 3);
    staged.push(batchBytes, 0, 3, 0);
    batchBytes.fill(0xee);

    const out = new Uint8Array(3);
    staged.shiftInto(out, 0);
    assert.deepEqual([...out], [1, 2, 3]);
  });

  it('drops the oldest when 128 wait, and says so', () => {
    const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
    for (let i = 0; i < MAX_STAGED_PACKETS; i++) assert.equal(staged.push(Uint8Array.of(i), 0, 1, 0), 'kept');
    assert.equal(staged.push(Uint8Array.of(200), 0, 1, 0), 'kept-for-oldest');
    assert.equal(staged.count, MAX_STAGED_PACKETS);

    const out = new Uint8Array(1);
    const order: number[] = [];
    while (staged.shiftInto(out, 0) > 0) order.push(out[0]);
    assert.deepEqual(order, [...Array.from({ length: MAX_STAGED_PACKETS - 1 }, (_, i) => i + 1), 200]);
  });

  it('says how many it drops when it is cleared', () => {
    const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
    assert.equal(staged.clear(), 0);
    for (let i = 0; i < 3; i++) staged.push(Uint8Array.of(i), 0, 1, 0);
    assert.equal(staged.clear(), 3);
    assert.equal(staged.count, 0);
    assert.equal(staged.push(Uint8Array.of(1), 0, 1, 0), 'kept');
  });

  it('gives nothing while it is empty', () => {
    const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
    assert.deepEqual([staged.count, staged.peekLength(), staged.headTrafficClass], [0, 0, 0]);
    assert.equal(staged.shiftInto(new Uint8Array(0), 0), 0);
  });

  it('refuses the newest when the budget of all peers is spent, and gives memory back when nothing waits', () => {
    const budget = new ByteBudget(10_000);
    const [one, other] = [new StagedPackets(budget), new StagedPackets(budget)];
    const packet = new Uint8Array(1_000);
    let kept = 0;
    while (one.push(packet, 0, 1_000, 0) === 'kept') kept++;
    assert.ok(kept >= 4 && kept <= 10, `${kept} packets`);
    assert.equal(one.count, kept);
    assert.equal(other.push(new Uint8Array(9_000), 0, 9_000, 0), 'refused');

    const out = new Uint8Array(1_000);
    while (one.count > 0) one.shiftInto(out, 0);
    assert.equal(budget.usedBytes, 0);
    assert.equal(other.push(packet, 0, 1_000, 0), 'kept');
    other.clear();
    assert.equal(budget.usedBytes, 0);
  });

  it('behaves as a list of copies does, whatever the lengths', () => {
    const lengths = fc.integer({ min: 1, max: 300 });
    const step = fc.oneof({ weight: 3, arbitrary: lengths }, { weight: 2, arbitrary: fc.constant(0) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const staged = new StagedPackets(new ByteBudget(BUDGET_BYTES));
        const model: Uint8Array[] = [];
        steps.forEach((length, i) => {
          if (length === 0) {
            const out = new Uint8Array(300);
            const shifted = staged.shiftInto(out, 0);
            assert.deepEqual(out.subarray(0, shifted), model.shift() ?? new Uint8Array(0));
            return;
          }
          const packet = new Uint8Array(length).map((_, at) => i * 7 + at);
          staged.push(packet, 0, length, i);
          model.push(packet);
          if (model.length > MAX_STAGED_PACKETS) model.shift();
        });
        assert.equal(staged.count, model.length);
        assert.equal(staged.peekLength(), model[0]?.length ?? 0);
      }),
    );
  });
});
