/** The watch over a map: what has run out is removed, and what a wrong clock refused is asked for again. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';

import { MapWatch } from '../../../src/mesh/agent/map-watch.js';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

describe('The watch over a map', () => {
  it('removes records when they run out, and asks the hub for others', (t) => {
    const { time, told, watch } = open(t);
    time.expiries = [10_000, 2 * HOUR_MS];
    watch.look();
    tick(t, time, 9_999);
    assert.deepEqual(told, []);
    tick(t, time, 1);
    assert.deepEqual(told, ['expired', 'lack']);
    tick(t, time, 2 * HOUR_MS);
    assert.deepEqual(told, ['expired', 'lack', 'expired', 'lack']);
  });

  it('asks again once a wrong clock was set right, and says both once', (t) => {
    const { time, told, watch } = open(t);
    time.errorMs = YEAR_MS;
    watch.look();
    watch.look();
    tick(t, time, HOUR_MS);
    assert.deepEqual(told, [`clock ${YEAR_MS}`]);
    time.errorMs = 0;
    tick(t, time, 10_000);
    assert.deepEqual(told, [`clock ${YEAR_MS}`, 'clock 0', 'lack']);
  });

  it('does nothing after its end', (t) => {
    const { time, told, watch } = open(t);
    time.expiries = [10_000];
    watch.look();
    watch.close();
    tick(t, time, HOUR_MS);
    assert.deepEqual(told, []);
  });
});

function open(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const time = { nowUnixMs: 0, errorMs: 0, expiries: [] as number[] };
  const told: string[] = [];
  const watch = new MapWatch({
    map: {
      expire: (nowUnixMs) => {
        const expired = time.expiries.filter((expiry) => expiry <= nowUnixMs);
        time.expiries = time.expiries.filter((expiry) => expiry > nowUnixMs);
        return expired.map(String);
      },
      get nextExpiryUnixMs() {
        return Math.min(...time.expiries);
      },
    },
    clock: time,
    onExpired: () => told.push('expired'),
    onLack: () => told.push('lack'),
    onClock: (errorMs) => told.push(`clock ${errorMs}`),
  });
  return { time, told, watch };
}

function tick(t: TestContext, time: { nowUnixMs: number }, ms: number): void {
  time.nowUnixMs += ms;
  t.mock.timers.tick(ms);
}
