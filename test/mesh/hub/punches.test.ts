/** The order in which two ends begin to send to each other: both at once, and later one after the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Punches, type PunchNode } from '../../../src/mesh/hub/punches.js';
import type { HubMessage } from '../../../src/mesh/map/messages.js';

describe('Punches', () => {
  it('cross at first; then the lower id goes first, the higher one the next time, and both the third time', () => {
    const orders = [0, 1, 2, 3, 4, 5, 6].map((attempt) => waitsOf('a', 'b', attempt));
    assert.deepEqual(orders, [
      [0, 0],
      [0, 0],
      [0, 1_000],
      [1_000, 0],
      [0, 0],
      [0, 1_000],
      [1_000, 0],
    ]);
  });

  it('have the same order whichever end asks', () => {
    for (let attempt = 0; attempt < 8; attempt++)
      assert.deepEqual(waitsOf('b', 'a', attempt).reverse(), waitsOf('a', 'b', attempt));
  });

  it('are not repeated within a second, though both ends ask', () => {
    const punches = new Punches();
    const [left, right] = [nodeOf('a'), nodeOf('b')];
    punches.punch(left.node, right.node, 0, 5_000);
    punches.punch(right.node, left.node, 0, 5_999);
    assert.equal(left.sent.length, 1);
    punches.punch(right.node, left.node, 1, 6_000);
    assert.equal(left.sent.length, 2);
  });
});

/** @returns How long each of the two waits, in milliseconds: the one that asks first. */
function waitsOf(asker: string, other: string, attempt: number): number[] {
  const [one, two] = [nodeOf(asker), nodeOf(other)];
  new Punches().punch(one.node, two.node, attempt, 0);
  return [one, two].map(({ sent }) => (sent[0] as { inMs: number }).inMs);
}

function nodeOf(id: string) {
  const sent: HubMessage[] = [];
  const node: PunchNode = { id, report: undefined, observed: undefined, send: (message) => sent.push(message) };
  return { node, sent };
}
