import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Contender } from '../../bench/contender.js';
import type { Measure, Readings } from '../../bench/measure.js';
import { Session } from '../../bench/session.js';
import { SMOKE } from '../../bench/settings.js';
import { aQuantity, aRun } from './arbitrary-figures.js';

const [OURS, THEIRS] = ['wiretype', 'limit'].map(
  (title): Contender => ({ kind: 'wireguard', title, command: '', version: '1' }),
) as [Contender, Contender];
const TWO_ROUNDS = { ...SMOKE, rounds: 2 };

describe('A session of measures', () => {
  it('keeps every reading at once, and goes on after a measure that fails', async () => {
    const kept: string[] = [];
    const failing = aMeasure('bad', () => Promise.reject(new Error('out of order')));
    const session = new Session([failing, aMeasure('good', async () => ({ good: 1 }))], [OURS], SMOKE);

    const failures = await session.run(aRun(), (figures) => kept.push(JSON.stringify(figures.rows[1]!.readings)));

    assert.deepEqual(failures, [{ measure: 'bad', contender: 'wiretype', isOurs: true }]);
    assert.deepEqual(kept, ['{}', '{"wiretype":[1]}']);
  });

  it('takes a measure that gives no number for a failure', async () => {
    for (const readings of [{}, { nan: Number.NaN }, { nan: Infinity }] as Readings[]) {
      const session = new Session([aMeasure('nan', async () => readings)], [OURS], SMOKE);

      assert.equal((await session.run(aRun())).length, 1);
      assert.deepEqual(session.figures(aRun()).rows[0]!.readings, {});
    }
  });

  it('has all take a measure before the next begins, and another begin in each round', async () => {
    const order: string[] = [];
    const noting = (id: string): Measure =>
      aMeasure(id, async ({ contender }) => {
        order.push(`${id} ${contender.title}`);
        return { [id]: 1 };
      });

    await new Session([noting('a'), noting('b')], [OURS, THEIRS], TWO_ROUNDS).run(aRun());

    assert.deepEqual(
      order.join(', '),
      ['a wiretype, a limit, b wiretype, b limit', 'a limit, a wiretype, b limit, b wiretype'].join(', '),
    );
  });

  it('takes once what is asked for once in a run, and only from those whom it suits', async () => {
    const once: Measure = {
      ...aMeasure('once', async () => ({ once: 1 })),
      per: 'run',
      suits: (one) => one === THEIRS,
    };
    const session = new Session([once], [OURS, THEIRS], TWO_ROUNDS);

    await session.run(aRun());

    assert.deepEqual(session.figures(aRun()).rows[0]!.readings, { limit: [1] });
  });
});

function aMeasure(id: string, take: Measure['take']): Measure {
  return { id, quantities: [aQuantity({ id })], suits: () => true, take };
}
