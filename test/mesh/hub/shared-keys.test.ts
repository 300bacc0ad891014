/** Two hosts with one key are noticed; hosts that move, or go to and fro now and then, are not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SharedKeys } from '../../../src/mesh/hub/shared-keys.js';

describe('A key', () => {
  it('of two hosts in turn is noticed, said once, and forgotten when it is over', () => {
    const keys = new SharedKeys();
    const said = Array.from({ length: 12 }, (_, turn) =>
      keys.moved('a', turn % 2 === 0 ? '1:1' : '2:2', turn * 25_000),
    );
    assert.deepEqual([said.indexOf(true), said.filter(Boolean).length], [5, 1]);
    assert.deepEqual([keys.isShared('a', 300_000), keys.isShared('b', 300_000)], [true, false]);
    assert.equal(keys.isShared('a', 700_000), false);
    keys.forget('a');
    assert.equal(keys.isShared('a', 300_000), false);
  });

  it('of three hosts is noticed as well', () => {
    const keys = new SharedKeys();
    for (let turn = 0; turn < 9; turn++) keys.moved('a', `${turn % 3}:1`, turn * 10_000);
    assert.equal(keys.isShared('a', 90_000), true);
  });

  it('of a host that moves on, or between two networks now and then, is not', () => {
    const keys = new SharedKeys();
    for (let turn = 0; turn < 100; turn++) {
      const nowMs = turn * 120_000;
      keys.moved('roams', `${turn}:1`, nowMs);
      keys.moved('commutes', `${turn % 2}:1`, nowMs);
      keys.moved('stays', '1:1', nowMs);
      for (const id of ['roams', 'commutes', 'stays']) assert.equal(keys.isShared(id, nowMs), false, id);
    }
  });
});
