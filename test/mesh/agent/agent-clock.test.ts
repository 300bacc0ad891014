/** The clock of an agent: years away from the hub's it is told of, and corrected where the hub decides anyway. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { AgentClock } from '../../../src/mesh/agent/agent-clock.js';

const NOW = Date.UTC(2026, 0, 1);
const YEAR_MS = 365 * 86_400_000;

describe('The clock of an agent', () => {
  it('is left alone while it differs from the hub by less than a day', () => {
    const clock = new AgentClock(() => NOW);
    clock.read(NOW + 86_000_000, 'auto');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [0, NOW]);
  });

  it('that is years away takes the time of the hub in mode auto, and its own in mode locked', () => {
    const clock = new AgentClock(() => NOW);
    clock.read(NOW + YEAR_MS, 'auto');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [YEAR_MS, NOW + YEAR_MS]);
    clock.read(NOW - YEAR_MS, 'locked');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [-YEAR_MS, NOW]);
  });

  it('is right again once it was set', () => {
    let own = NOW - YEAR_MS;
    const clock = new AgentClock(() => own);
    clock.read(NOW, 'auto');
    own = NOW;
    clock.read(NOW, 'auto');
    assert.deepEqual([clock.errorMs, clock.nowUnixMs], [0, NOW]);
  });
});
