import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { costsOfWay, nanosecondsWith, tabulateModel, WAY_IN, WAY_OUT } from '../../bench/model.js';
import { STAGES } from './arbitrary-figures.js';

describe('The model of more cores', () => {
  it('adds up the stages of a way, and what the hand-over costs beyond what two cores do for two processes', () => {
    assert.deepEqual(costsOfWay(STAGES, WAY_IN, 0), { serial: 1_000, parallel: 2_000, handOver: 100 });
    assert.deepEqual(costsOfWay(STAGES, WAY_OUT, 0), { serial: 500, parallel: 1_000, handOver: 100 });
  });

  it('shares one stage among the threads, and nothing on a single one', () => {
    const costs = { serial: 1_000, parallel: 2_000, handOver: 100 };

    assert.equal(nanosecondsWith(1, costs), 3_000);
    assert.equal(nanosecondsWith(2, costs), 2_100);
    assert.equal(nanosecondsWith(4, costs), 1_600);
    assert.equal(nanosecondsWith(Infinity, costs), 1_100);
  });

  it('never takes the hand-over for a gain', () => {
    const costs = { ...STAGES.costs, 'open, two threads': [900] };

    assert.equal(costsOfWay({ ...STAGES, costs }, WAY_IN, 0).handOver, 0);
  });

  it('is told per number of cores, in time, throughput and gain', () => {
    const [head, ...lines] = tabulateModel(STAGES);

    assert.deepEqual(head, ['cores', 'in, ns', 'in, Gbit/s', '× one', 'out, ns', 'out, Gbit/s', '× one']);
    assert.deepEqual(
      lines.map(([cores]) => cores),
      ['1', '2', '4', '8', '16', 'any number'],
    );
    assert.deepEqual(lines[2], ['4', '1600', '5.0', '1.88', '850', '9.4', '1.76']);
  });

  it('says which stage it lacks', () => {
    const { open: _, ...costs } = STAGES.costs;

    assert.throws(() => costsOfWay({ ...STAGES, costs }, WAY_IN, 0), /"open"/);
  });
});
