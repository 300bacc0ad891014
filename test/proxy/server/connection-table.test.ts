import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';

import { ConnectionTable } from '../../../src/proxy/server/connection-table.js';
import { ProxyCounters } from '../../../src/proxy/server/proxy-counters.js';

const IDLE_MS = 60_000;

describe('the connections of a proxy, at their limit', () => {
  it('lose the one that is idle for longest, a minute at least, to a new one', () => {
    const { table, counters, clock } = make(3);
    const [a, b, c] = [table.admit(socket())!, table.admit(socket())!, table.admit(socket())!];
    const startMs = clock.nowMs;
    [a.lastActiveMs, b.lastActiveMs, c.lastActiveMs] = [startMs + 2, startMs + 1, startMs + 3];

    clock.nowMs = startMs + 1 + IDLE_MS;
    assert.ok(table.admit(socket()) !== undefined);
    assert.deepEqual([a.socket.destroyed, b.socket.destroyed, c.socket.destroyed], [false, true, false]);
    assert.deepEqual([counters.refused.evicted, counters.active, counters.accepted], [1, 3, 4]);
  });

  it('stay, and the new one is refused, if none of them is idle for a minute', () => {
    const { table, counters, clock } = make(2);
    const [a, b] = [table.admit(socket())!, table.admit(socket())!];
    const startMs = clock.nowMs;
    [a.lastActiveMs, b.lastActiveMs] = [startMs, startMs];
    clock.nowMs = startMs + IDLE_MS - 1;
    const refused = socket();
    assert.equal(table.admit(refused), undefined);
    assert.ok(refused.destroyed && !a.socket.destroyed && !b.socket.destroyed);
    assert.equal(counters.refused.limit, 1);
    clock.nowMs = startMs + IDLE_MS;
    assert.ok(table.admit(socket()) !== undefined);
  });
});

function make(maxConnections: number) {
  const counters = new ProxyCounters();
  const clock = { nowMs: performance.now() };
  return { counters, clock, table: new ConnectionTable(counters, maxConnections, () => clock.nowMs) };
}

function socket(): Socket {
  return new PassThrough() as unknown as Socket;
}
