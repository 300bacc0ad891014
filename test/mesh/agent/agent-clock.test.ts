/** The clock of an agent: years away from the hub's it is told of, and corrected where the hub decides anyway. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { AgentClock } from '../../../src/mesh/agent/agent-clock.js';

const NOW = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 86_400_000;

describe('The clock of an agent', () => {
  it('is left alone while it differs from the hub by less than a day', () => {
    const { clock } = clockAt(NOW);
    clock.read(NOW + 86_000_000, 'auto');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [0, NOW]);
  });

  it('that is years away takes the time of the hub in mode auto, and its own in mode locked', () => {
    const { clock } = clockAt(NOW);
    clock.read(NOW + YEAR_MS, 'auto');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [YEAR_MS, NOW + YEAR_MS]);
    clock.read(NOW - YEAR_MS, 'locked');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [-YEAR_MS, NOW]);
  });

  it('is right as soon as it is set, before the hub says anything', () => {
    for (const wrong of [0, NOW - YEAR_MS, NOW + 3 * YEAR_MS]) {
      const { clock, time } = clockAt(wrong);
      clock.read(NOW, 'auto');
      time.ownMs = NOW + 5_000;
      time.elapsedMs += 5_000;
      assert.deepEqual([clock.errorMs, clock.nowUnixMs], [0, NOW + 5_000]);
    }
  });

  it('that is set wrong later is noticed by itself', () => {
    const { clock, time } = clockAt(NOW);
    clock.read(NOW, 'auto');
    time.ownMs = NOW - YEAR_MS;
    time.elapsedMs += 60_000;
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [YEAR_MS + 60_000, NOW + 60_000]);
  });
});

function clockAt(ownMs: number) {
  const time = { ownMs, elapsedMs: 7_000 };
  return {
    time,
    clock: new AgentClock(
      () => time.ownMs,
      () => time.elapsedMs,
    ),
  };
}
