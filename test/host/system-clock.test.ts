import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { beforeEach, describe, it } from 'node:test';

import { SystemClock } from '../../src/host/system-clock.js';

const BOOT_TOLERANCE_MS = 10;
const MINUTE_MS = 60_000;

describe('SystemClock', () => {
  let monotonicMs: number;
  let otherMs: number;

  beforeEach(() => {
    monotonicMs = 1_000.7;
    otherMs = 500_000;
  });

  function makeClock(toleranceMs: number): SystemClock {
    return new SystemClock({ monotonicMs: () => monotonicMs, awakeAndAsleepMs: () => otherMs, toleranceMs });
  }

  function pass(awakeMs: number, asleepMs = 0): void {
    monotonicMs += awakeMs;
    otherMs += awakeMs + asleepMs;
  }

  it('shows whole milliseconds, and never goes back', () => {
    const clock = SystemClock.create();
    let last = clock.nowMs();
    for (let i = 0; i < 10_000; i++) {
      const nowMs = clock.nowMs();
      assert.ok(Number.isInteger(nowMs) && nowMs >= last);
      last = nowMs;
    }
    assert.equal(clock.suspensions, 0);
  });

  it('counts the time that the machine sleeps, to the millisecond', () => {
    const clock = makeClock(BOOT_TOLERANCE_MS);
    const start = clock.nowMs();
    pass(100);
    pass(5, 45_000);
    assert.equal(clock.nowMs() - start, 45_105);
    assert.equal(clock.suspensions, 0, 'a nap ends no session');
  });

  it('notices a sleep of more than a minute, once', () => {
    const clock = makeClock(BOOT_TOLERANCE_MS);
    pass(5, 3_600_000);
    clock.nowMs();
    clock.nowMs();
    assert.equal(clock.suspensions, 1);
    pass(5, MINUTE_MS + 1);
    clock.nowMs();
    assert.equal(clock.suspensions, 2);
  });

  it('takes no pause of the process between two readings for a sleep', () => {
    let isFirst = true;
    const clock = new SystemClock({
      monotonicMs: () => monotonicMs,
      awakeAndAsleepMs: () => {
        if (isFirst) return otherMs;
        isFirst = true;
        pass(200_000); // stopped and continued, right here
        return otherMs;
      },
      toleranceMs: BOOT_TOLERANCE_MS,
    });
    const start = clock.nowMs();
    isFirst = false;
    assert.equal(clock.nowMs() - start, 200_000);
    assert.equal(clock.suspensions, 0);
  });

  it('ignores corrections of the wall clock by up to a minute, and steps back of any size', () => {
    const clock = makeClock(MINUTE_MS);
    const start = clock.nowMs();
    pass(10, 59_000);
    pass(10, -3_600_000);
    pass(10);
    assert.equal(clock.nowMs() - start, 30);
    assert.equal(clock.suspensions, 0);
    pass(0, 2 * MINUTE_MS);
    assert.equal(clock.nowMs() - start, 30 + 2 * MINUTE_MS);
    assert.equal(clock.suspensions, 1);
  });

  it('calls back once, and not after it was cancelled', async () => {
    const clock = SystemClock.create();
    const calls: string[] = [];
    clock.callAt(clock.nowMs() + 5, () => void calls.push('later'));
    for (const mustSleep of [false, true])
      clock.callAt(clock.nowMs() + 1, () => void calls.push('never')).cancel(mustSleep);
    clock.callSoon(() => void calls.push('soon'));
    await new Promise<void>((resolve) => void clock.callAt(clock.nowMs() + 20, resolve));
    await new Promise<void>((resolve) => clock.callSoon(resolve));
    assert.deepEqual(calls.sort(), ['later', 'soon']);
  });

  it('sleeps through the time of a call that was cancelled for that', async () => {
    const clock = SystemClock.create();
    const looks: string[] = [];
    const hook = createHook({ init: (_id, type) => void looks.push(type) }).enable();
    const call = clock.callAt(clock.nowMs() + MINUTE_MS, () => {});
    looks.length = 0;
    call.cancel();
    assert.deepEqual(looks, [], 'Node does not look at its timers now, and will wake up then');
    call.cancel(true);
    hook.disable();
    assert.deepEqual(looks, ['Timeout', 'Immediate'], 'a short timer, and no sleep until it is due');
  });
});
