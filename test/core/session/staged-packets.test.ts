import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { StagedPackets } from '../../../src/core/session/staged-packets.js';

/** As in the kernel: a peer has room for 128. */
const MAX_STAGED_PACKETS = 128;

describe('StagedPackets', () => {
  it('gives packets back in order, with their traffic class', () => {
    const staged = new StagedPackets();
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
    const staged = new StagedPackets();
    const batchBytes = Uint8Array.of(1, 2, 3);
    staged.push(batchBytes, 0, 3, 0);
    batchBytes.fill(0xee);

    const out = new Uint8Array(3);
    staged.shiftInto(out, 0);
    assert.deepEqual([...out], [1, 2, 3]);
  });

  it('drops the oldest when 128 wait, and says so', () => {
    const staged = new StagedPackets();
    for (let i = 0; i < MAX_STAGED_PACKETS; i++) assert.equal(staged.push(Uint8Array.of(i), 0, 1, 0), true);
    assert.equal(staged.push(Uint8Array.of(200), 0, 1, 0), false);
    assert.equal(staged.count, MAX_STAGED_PACKETS);

    const out = new Uint8Array(1);
    const order: number[] = [];
    while (staged.shiftInto(out, 0) > 0) order.push(out[0]);
    assert.deepEqual(order, [...Array.from({ length: MAX_STAGED_PACKETS - 1 }, (_, i) => i + 1), 200]);
  });

  it('says how many it drops when it is cleared', () => {
    const staged = new StagedPackets();
    assert.equal(staged.clear(), 0);
    for (let i = 0; i < 3; i++) staged.push(Uint8Array.of(i), 0, 1, 0);
    assert.equal(staged.clear(), 3);
    assert.equal(staged.count, 0);
    assert.equal(staged.push(Uint8Array.of(1), 0, 1, 0), true);
  });

  it('gives nothing while it is empty', () => {
    const staged = new StagedPackets();
    assert.deepEqual([staged.count, staged.peekLength(), staged.headTrafficClass], [0, 0, 0]);
    assert.equal(staged.shiftInto(new Uint8Array(0), 0), 0);
  });
});
