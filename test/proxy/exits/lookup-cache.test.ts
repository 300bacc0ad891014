import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { LookupCache } from '../../../src/proxy/exits/lookup-cache.js';

const KEEP_MS = 5_000;
const MAX_NAMES = 1_000;

describe('shared lookups', () => {
  it('answer for five seconds, whatever the case of the name', async () => {
    const { cache, asked, clock } = make();
    await Promise.all([cache.lookup('a.test'), cache.lookup('A.test')]);
    clock.nowMs = KEEP_MS - 1;
    await cache.lookup('a.test');
    assert.deepEqual(asked, ['a.test']);
    clock.nowMs = KEEP_MS;
    await cache.lookup('a.test');
    assert.deepEqual(asked, ['a.test', 'a.test']);
  });

  it('forget failures at once', async () => {
    const { cache, asked } = make();
    for (let i = 0; i < 2; i++) await assert.rejects(cache.lookup('missing'));
    assert.equal(asked.length, 2);
  });

  it('hold a bounded number of names', async () => {
    const { cache, asked } = make();
    for (let i = 0; i <= MAX_NAMES; i++) await cache.lookup(`${i}.test`);
    await cache.lookup('1.test');
    assert.equal(asked.length, MAX_NAMES + 1);
    await cache.lookup('0.test');
    assert.equal(asked.length, MAX_NAMES + 2);
  });
});

function make() {
  const asked: string[] = [];
  const clock = { nowMs: 0 };
  const cache = new LookupCache(
    async (host) => {
      asked.push(host);
      if (host === 'missing') throw new Error('missing');
      return [{ address: '192.0.2.1', family: 4 }];
    },
    () => clock.nowMs,
  );
  return { cache, asked, clock };
}
