import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { median, medianDifference, medianRatio, quantile, summarize } from '../../bench/statistics.js';

describe('Readings', () => {
  it('have a median, of an even number the mean of the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  it('have quantiles, which are readings', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

    assert.equal(quantile(hundred, 0.99), 99);
    assert.equal(quantile(hundred, 0.5), 50);
    assert.equal(quantile([7], 0.99), 7);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });

  it('have a spread', () => {
    assert.deepEqual(summarize([10, 9, 2]), { median: 9, least: 2, greatest: 10 });
  });

  it('are compared within a round, and rounds that lack one are left out', () => {
    assert.equal(medianRatio([2, null, 9, 8], [1, 1, 3, null]), 2.5);
    assert.equal(medianDifference([2, null, 9, 8], [1, 1, 3]), 3.5);
    assert.ok(Number.isNaN(medianRatio([1], [null])));
  });

  it('have no ratio to nothing', () => {
    assert.ok(Number.isNaN(medianRatio([1], [0])));
    assert.equal(medianRatio([1, 6], [0, 2]), 3);
  });
});
