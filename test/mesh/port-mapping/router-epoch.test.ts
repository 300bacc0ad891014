import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { RouterEpoch } from '../../../src/mesh/port-mapping/router-epoch.js';

/** Whether a router counts as restarted that says 1,000 s, and `age` so many seconds later. */
function isRestart(afterSeconds: number, age: number): boolean {
  const epoch = new RouterEpoch();
  assert.equal(epoch.isRestart(1_000, 5_000), false, 'the first answer');
  return epoch.isRestart(age, 5_000 + afterSeconds * 1_000);
}

describe('RouterEpoch (RFC 6887 §8.5)', () => {
  it('lets the age go back by one second, since answers overtake each other', () => {
    assert.equal(isRestart(0, 999), false);
    assert.equal(isRestart(0, 998), true);
  });

  it('lets the clocks differ by two seconds and a sixteenth', () => {
    // 1,600 s less a sixteenth are 1,500 s.
    assert.deepEqual([isRestart(1_600, 2_498), isRestart(1_600, 2_497)], [false, true]);
    assert.deepEqual([isRestart(1_498, 2_600), isRestart(1_497, 2_600)], [false, true]);
    assert.deepEqual([isRestart(2, 1_000), isRestart(3, 1_000)], [false, true]);
  });

  it('compares with the answer before, also after a restart', () => {
    const epoch = new RouterEpoch();
    epoch.isRestart(1_000, 0);
    assert.equal(epoch.isRestart(3, 10_000), true);
    assert.equal(epoch.isRestart(13, 20_000), false);
  });
});
