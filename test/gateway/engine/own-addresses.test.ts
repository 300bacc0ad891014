import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OwnAddresses } from '../../../src/gateway/engine/own-addresses.js';
import type { Clock } from '../../../src/host/clock.js';
import type { Policy } from '../../../src/policy/policy.js';

describe('OwnAddresses', () => {
  it('tells policy at once, and when an address has come or gone, at most every five seconds', () => {
    let nowMs = 0;
    let addresses = [Uint8Array.of(192, 0, 2, 1)];
    let reads = 0;
    const told: number[] = [];
    const policy = { setOwnAddresses: (all: readonly Uint8Array[]) => void told.push(all.length) } as unknown as Policy;
    const own = new OwnAddresses(policy, { nowMs: () => nowMs } as Clock, () => {
      reads++;
      return addresses;
    });
    assert.deepEqual(told, [1]);
    addresses = [...addresses, Uint8Array.of(192, 0, 2, 2)];
    for (nowMs = 0; nowMs < 5_000; nowMs += 10) own.check();
    assert.deepEqual([told, reads], [[1], 1]);
    own.check();
    own.check();
    assert.deepEqual([told, reads], [[1, 2], 2]);
    nowMs = 10_000;
    own.check();
    assert.deepEqual([told, reads], [[1, 2], 3], 'nothing has changed');
  });
});
