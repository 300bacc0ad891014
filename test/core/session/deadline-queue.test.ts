import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { DeadlineQueue, type Scheduled } from '../../../src/core/session/deadline-queue.js';

describe('DeadlineQueue', () => {
  it('announces Infinity when nothing is in it', () => {
    assert.equal(new DeadlineQueue<Entry>().nextDeadline(), Infinity);
  });

  it('announces a deadline that moved later only for when it is due', () => {
    const queue = new DeadlineQueue<Entry>();
    const entry = new Entry();
    entry.move(queue, 10);
    entry.move(queue, 20);
    assert.equal(queue.nextDeadline(), 20);
  });

  it('forgets an entry whose deadline is gone, and takes it again later', () => {
    const queue = new DeadlineQueue<Entry>();
    const entry = new Entry();
    entry.move(queue, 10);
    entry.move(queue, Infinity);
    assert.equal(queue.first(), undefined);
    entry.move(queue, 30);
    assert.equal(queue.first(), entry);
  });

  it('agrees with the least of all deadlines, whatever moves and goes', () => {
    const step = fc.tuple(fc.nat(19), fc.oneof(fc.nat(1_000), fc.constant(Infinity), fc.constant('remove' as const)));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new DeadlineQueue<Entry>();
        const entries = Array.from({ length: 20 }, () => new Entry());
        for (const [index, what] of steps) {
          const entry = entries[index];
          if (what === 'remove') {
            entry.deadline = Infinity;
            queue.remove(entry);
          } else entry.move(queue, what);
          assert.equal(queue.nextDeadline(), Math.min(...entries.map(({ deadline }) => deadline)));
        }
      }),
    );
  });
});

class Entry implements Scheduled {
  queuedAt = Infinity;
  queuePosition = 0;
  deadline = Infinity;

  nextDeadline(): number {
    return this.deadline;
  }

  move(queue: DeadlineQueue<Entry>, to: number): void {
    this.deadline = to;
    if (to < this.queuedAt) queue.moveEarlier(this, to);
  }
}
