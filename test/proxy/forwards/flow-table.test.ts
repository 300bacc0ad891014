import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { FlowTable } from '../../../src/proxy/forwards/flow-table.js';

describe('flows', () => {
  function table(t: { after(run: () => void): void }) {
    const closed: string[] = [];
    const flows = new FlowTable<{ close(): void }>(3, 1_000);
    t.after(() => flows.close());
    const add = (key: string, nowMs: number) => flows.add(key, { close: () => closed.push(key) }, nowMs);
    return { flows, add, closed };
  }

  it('end when they have not been used for the idle time', (t) => {
    const { flows, add, closed } = table(t);
    add('a', 0);
    add('b', 500);
    flows.use('a', 700);

    flows.expire(1_499);
    assert.deepEqual(closed, []);
    flows.expire(1_500);
    assert.deepEqual(closed, ['b']);
    flows.expire(1_700);
    assert.deepEqual(closed, ['b', 'a']);
    assert.equal(flows.size, 0);
  });

  it('are bounded: the one that was used longest ago makes room', (t) => {
    const { flows, add, closed } = table(t);
    for (const [i, key] of ['a', 'b', 'c'].entries()) add(key, i);
    flows.use('a', 10);

    add('d', 11);

    assert.deepEqual(closed, ['b']);
    assert.ok(flows.use('a', 12) !== undefined && flows.use('b', 12) === undefined);
  });

  it('end with the table', (t) => {
    const { flows, add, closed } = table(t);
    add('a', 0);
    add('b', 0);

    flows.close();

    assert.deepEqual(closed, ['a', 'b']);
  });
});
