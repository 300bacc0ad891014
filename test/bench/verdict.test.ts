import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Goal } from '../../bench/measure.js';
import { describeGoal, isReached } from '../../bench/verdict.js';
import { aQuantity, someFigures } from './arbitrary-figures.js';

describe('A goal', () => {
  it('is an amount that the median has to reach', () => {
    assert.equal(reached({ atLeast: 3 }, [1, 3, 9]), true);
    assert.equal(reached({ atLeast: 4 }, [1, 3, 9]), false);
    assert.equal(reached({ atMost: 2 }, [1, 3, 9]), false);
    assert.equal(reached({ atMost: 3 }, [1, 3, 9]), true);
  });

  it('or a ratio to another contender in the same round', () => {
    assert.equal(reached({ than: 'limit', atLeast: 1 }, [2, 9], [2, 3]), true);
    assert.equal(reached({ than: 'limit', atLeast: 1 }, [2, 9], [3, 10]), false);
  });

  it('or a difference from it', () => {
    assert.equal(reached({ than: 'limit', by: 'difference', atMost: 150 }, [200], [50]), true);
    assert.equal(reached({ than: 'limit', by: 'difference', atMost: 149 }, [200], [50]), false);
  });

  it('or a ratio to another quantity of our own', () => {
    const goal: Goal = { thanOwn: 'tcp-1', atLeast: 0.9 };
    const quantities = [aQuantity(), aQuantity({ id: 'tcp-inner6', goal })];
    const rowsWith = (inner6: number) =>
      someFigures(quantities, { 'tcp-1': { wiretype: [10] }, 'tcp-inner6': { wiretype: [inner6] } }).rows;

    assert.equal(isReached(rowsWith(9)[1]!, rowsWith(9)), true);
    assert.equal(isReached(rowsWith(8.9)[1]!, rowsWith(8.9)), false);
  });

  it('compares nothing with readings of another run', () => {
    const goal: Goal = { thanOwn: 'tcp-1', atLeast: 0.9 };
    const quantities = [aQuantity(), aQuantity({ id: 'tcp-inner6', goal })];
    const [four, six] = someFigures(quantities, {
      'tcp-1': { wiretype: [10] },
      'tcp-inner6': { wiretype: [10] },
    }).rows;

    assert.equal(isReached(six!, [{ ...four!, run: 1 }, six!]), undefined);
  });

  it('is neither met nor missed without figures', () => {
    assert.equal(reached({ atLeast: 1 }, []), undefined);
    assert.equal(reached({ than: 'limit', atLeast: 1 }, [1], []), undefined);
    assert.equal(reached(undefined, [1]), undefined);
  });

  it('is told in words', () => {
    const titles = new Map([['tcp-1', 'TCP, one stream']]);
    const words = (goal: Goal): string => describeGoal({ ...aQuantity({ goal }), run: 0, readings: {} }, titles);

    assert.equal(words({ atLeast: 2_500 }), '≥ 2,500 Gbit/s');
    assert.equal(words({ than: 'wireguard-go', atLeast: 4 }), '≥ 4 × wireguard-go');
    assert.equal(words({ than: 'none', by: 'difference', atMost: 150 }), '≤ none + 150');
    assert.equal(words({ thanOwn: 'tcp-1', atLeast: 0.9 }), '≥ 0.9 × TCP, one stream');
  });
});

function reached(goal: Goal | undefined, ours: readonly number[], theirs: readonly number[] = []): boolean | undefined {
  const quantity = aQuantity(goal === undefined ? {} : { goal });
  const { rows } = someFigures([quantity], { 'tcp-1': { wiretype: ours, limit: theirs } });
  return isReached(rows[0]!, rows);
}
