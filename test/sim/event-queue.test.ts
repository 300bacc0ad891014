import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EventQueue } from '../../src/sim/event-queue.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';

describe('EventQueue', () => {
  it('runs events in the order of their times, and those of one time in the order of scheduling', () => {
    const random = new SeededRandom(1);
    const events = new EventQueue(100);
    const ran: { atMs: number; order: number }[] = [];

    for (let order = 0; order < 500; order++) {
      const atMs = 100 + random.integer(50);
      events.schedule(atMs, () => ran.push({ atMs: events.nowMs, order }));
    }
    events.runUntil(1_000);

    assert.equal(ran.length, 500);
    assert.deepEqual(
      ran,
      ran.toSorted((x, y) => x.atMs - y.atMs || x.order - y.order),
    );
  });

  it('leaves the clock at the end of the run, and runs nothing that is due later', () => {
    const events = new EventQueue(0);
    let runs = 0;
    events.schedule(11, () => runs++);

    events.runUntil(10);
    assert.deepEqual({ runs, nowMs: events.nowMs, next: events.nextEventMs }, { runs: 0, nowMs: 10, next: 11 });
    events.runUntil(11);
    assert.deepEqual({ runs, nowMs: events.nowMs, next: events.nextEventMs }, { runs: 1, nowMs: 11, next: Infinity });
  });

  it('forgets what was cancelled', () => {
    const events = new EventQueue(0);
    let runs = 0;
    const event = events.schedule(5, () => runs++);
    event.isCancelled = true;

    assert.equal(events.nextEventMs, Infinity);
    assert.equal(events.runNext(), false);
    assert.equal(runs, 0);
  });

  it('runs what an event schedules for the present in the same run', () => {
    const events = new EventQueue(0);
    const ran: string[] = [];
    events.schedule(5, () => {
      ran.push('first');
      events.schedule(1, () => ran.push(`second at ${events.nowMs}`));
    });

    events.runUntil(5);
    assert.deepEqual(ran, ['first', 'second at 5']);
  });
});

describe('SeededRandom', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    assert.deepEqual(new SeededRandom(7).bytes(32), new SeededRandom(7).bytes(32));
    assert.notDeepEqual(new SeededRandom(7).bytes(32), new SeededRandom(8).bytes(32));
  });

  it('spreads its numbers evenly', () => {
    const random = new SeededRandom(3);
    const hits = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) hits[random.integer(10)]!++;
    assert.ok(Math.min(...hits) > 9_500 && Math.max(...hits) < 10_500, hits.join(' '));
  });
});
