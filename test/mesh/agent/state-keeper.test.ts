/** The keeper of a node's state: many changes are one write, and a key in use is written before it is used. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { KnownMap } from '../../../src/mesh/agent/known-map.js';
import type { NodeState } from '../../../src/mesh/agent/node-state.js';
import { StateKeeper } from '../../../src/mesh/agent/state-keeper.js';
import { STATE } from './example-state.js';

const NEXT_KEY = Buffer.alloc(32, 8).toString('base64');

describe('The state of an agent', () => {
  it('is written once for many changes, with the map as it is then', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { keeper, map, written } = open();
    keeper.change({ listenPort: 1 });
    keeper.change({ listenPort: 2 });
    map.apply({ type: 'map', rev: 7, full: true, put: [], del: [], unixMs: 0 }, 0);
    assert.equal(written.length, 0);
    t.mock.timers.tick(1_000);
    assert.deepEqual(
      written.map(({ listenPort, map: { rev } }) => [listenPort, rev]),
      [[2, 7]],
    );
    t.mock.timers.tick(10_000);
    assert.equal(written.length, 1);
  });

  it('goes on after a write that failed', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { keeper, written } = open(1);
    keeper.change({ listenPort: 1 });
    t.mock.timers.tick(1_000);
    keeper.change({ listenPort: 2 });
    t.mock.timers.tick(1_000);
    assert.deepEqual(
      written.map(({ listenPort }) => listenPort),
      [2],
    );
  });

  it('has the next key in the file before anything uses it', async () => {
    const { keeper, written } = open();
    await keeper.useNextKey(5);
    assert.equal(written.length, 0, 'there was none');
    keeper.change({ next: { privateKey: NEXT_KEY, keySeq: 4 } });
    await keeper.useNextKey(5);
    const { privateKey, keySeq, keyMadeUnixMs, next } = written[0]!;
    assert.deepEqual([privateKey, keySeq, keyMadeUnixMs, next], [NEXT_KEY, 4, 5, undefined]);
  });

  it('is written no more once the node has left, so that its keys do not come back', async () => {
    const { keeper, written } = open();
    keeper.forget();
    await keeper.close();
    assert.equal(written.length, 0);
  });

  it('remembers the latest time of the clock, and stamps no handshake before it after the next start', async () => {
    let nowUnixMs = 5_000_000_000;
    const { keeper, written } = open(0, () => nowUnixMs);
    assert.equal(keeper.earliestStampUnixMs, 0);
    await keeper.save();
    nowUnixMs = 1_000;
    await keeper.save();
    assert.equal(written.at(-1)!.stampUnixMs, 5_000_000_000);

    const next = open(0, () => nowUnixMs, written.at(-1)).keeper;
    assert.equal(next.earliestStampUnixMs, 5_000_000_000 + 2 * 3_600_000);
    nowUnixMs = 5_000_000_001;
    assert.equal(open(0, () => nowUnixMs, written.at(-1)).keeper.earliestStampUnixMs, 0, 'the clock is later anyway');
  });
});

/** @param failures Writes that fail first. */
function open(
  failures = 0,
  nowUnixMs?: () => number,
  state = STATE,
): { keeper: StateKeeper; map: KnownMap; written: NodeState[] } {
  const written: NodeState[] = [];
  let left = failures;
  const map = new KnownMap({ ...STATE, ...STATE.map });
  const write = async (next: NodeState): Promise<void> => {
    if (left-- > 0) throw new Error('ENOSPC');
    written.push(next);
  };
  const keeper = new StateKeeper(state, map, write, nowUnixMs);
  return { keeper, map, written };
}
