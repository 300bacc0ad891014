import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { StatsDatabase } from '../../src/store/stats-database.js';
import { SQLITE, START_UNIX_MS, VirtualClock, withFolder } from './samples.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('traffic of a device', () => {
  it('has the same sum in every tier, against a plain list, for any number of buckets', () =>
    withStats((stats, clock) => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const random = randomFrom(seed);
      const total = { received: 0, sent: 0 };
      for (let minute = 0; minute < 4_000; minute++) {
        clock.advance(MINUTE_MS);
        if (random() < 0.7) continue;
        const traffic = { received: Math.floor(random() * 1e9), sent: Math.floor(random() * 1e6) };
        total.received += traffic.received;
        total.sent += traffic.sent;
        stats.addTraffic(clock.unixMs, 60, new Map([['d0', traffic]]));
      }

      // The reach of each period makes another tier answer, but for the minutes: two days are less than 4,000.
      for (const days of [4, 60, 500])
        for (const buckets of [1, 7, 400]) {
          const period = { fromUnixMs: clock.unixMs - days * DAY_MS, toUnixMs: clock.unixMs + 1, buckets };
          const samples = stats.traffic('d0', period);
          const label = `${days} days in ${buckets}, seed ${seed}`;
          assert.ok(samples.length <= buckets, label);
          assert.equal(sum(samples.map(({ receivedBytes }) => receivedBytes)), total.received, label);
          assert.equal(sum(samples.map(({ sentBytes }) => sentBytes)), total.sent, label);
        }
    }));

  it('is in buckets of whole spans: a day in 400 by 4 minutes, 30 days by 2 hours', () =>
    withStats((stats, clock) => {
      stats.addTraffic(clock.unixMs, 60, one(100));

      const spanOf = (days: number) =>
        stats.traffic('d0', { fromUnixMs: clock.unixMs - days * DAY_MS, toUnixMs: clock.unixMs + 1, buckets: 400 })[0]
          ?.seconds;

      assert.deepEqual(
        [spanOf(1), spanOf(30), spanOf(399), spanOf(4_000)],
        [4 * 60, 2 * 3_600, 24 * 3_600, 11 * 86_400],
      );
    }));

  it('adds up within a minute, and keeps the fastest stretch as the peak of every longer span', () =>
    withStats((stats, clock) => {
      clock.unixMs = Date.UTC(2026, 10, 26, 12);
      stats.addTraffic(clock.unixMs, 60, one(600));
      stats.addTraffic(clock.unixMs + 30_000, 10, one(500));
      stats.addTraffic(clock.unixMs + MINUTE_MS, 60, one(60));

      const [hour] = stats.traffic('d0', { fromUnixMs: clock.unixMs, toUnixMs: clock.unixMs + HOUR_MS, buckets: 1 });

      assert.deepEqual(hour, {
        startUnixMs: clock.unixMs,
        seconds: 3_600,
        receivedBytes: 1_160,
        sentBytes: 0,
        receivedPeakBytesPerSecond: 50,
        sentPeakBytesPerSecond: 0,
      });
    }));

  it('has no row for a device that was silent, and no sample for a span without traffic', () =>
    withStats((stats, clock) => {
      stats.addTraffic(clock.unixMs, 60, one(0));

      assert.equal(stats.database.statement('SELECT count(*) AS n FROM traffic').get()?.['n'], 0);
      assert.deepEqual(stats.traffic('d0', { fromUnixMs: 0, toUnixMs: clock.unixMs * 2, buckets: 9 }), []);
    }));

  it('is kept by the minute for 48 hours, by 15 minutes for 35 days, by the hour for 400 days, and by the day', () =>
    withStats((stats, clock) => {
      stats.addTraffic(clock.unixMs, 60, one(100));
      const tiers = () =>
        stats.database
          .statement(
            "SELECT tier FROM traffic JOIN names ON number = traffic.device WHERE names.device = 'd0' ORDER BY tier",
          )
          .all()
          .map(({ tier }) => tier);
      const tiersAfter = (days: number) => {
        while (clock.unixMs < START_UNIX_MS + days * DAY_MS) {
          clock.advance(DAY_MS / 4);
          stats.addTraffic(clock.unixMs, 60, new Map([['other', { received: 1, sent: 1 }]]));
        }
        return tiers();
      };

      assert.deepEqual([2, 2.25, 35, 35.25, 400, 400.25, 1_000].map(tiersAfter), [
        [0, 1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
        [2, 3],
        [2, 3],
        [3],
        [3],
      ]);
    }));

  it('survives a clock that jumps years ahead for some hours', () =>
    withStats((stats, clock) => {
      stats.addTraffic(clock.unixMs, 60, one(100));
      const right = clock.unixMs;

      for (let hour = 0; hour < 24; hour++) {
        clock.ms += HOUR_MS;
        clock.unixMs = right + 10 * 365 * DAY_MS;
        stats.addTraffic(clock.unixMs, 60, one(1));
      }
      clock.unixMs = right + DAY_MS;

      const month = { fromUnixMs: right - 29 * DAY_MS, toUnixMs: clock.unixMs, buckets: 400 };
      assert.deepEqual(
        stats.traffic('d0', month).map(({ receivedBytes }) => receivedBytes),
        [100],
      );
    }));

  it('is by days of the time zone, also those of 23 and 25 hours', () =>
    withStats((stats, clock) => {
      stats.setTimeZone('Europe/Berlin');
      // Clocks there change on 2026-03-29 and 2026-10-25. Each hour has a byte.
      const from = Date.UTC(2025, 11, 31, 23);
      for (let hour = 0; hour < 365 * 24; hour++) stats.addTraffic(from + hour * HOUR_MS, 60, one(1));
      clock.unixMs = from + 600 * DAY_MS;

      const days = stats.traffic('d0', { fromUnixMs: from, toUnixMs: from + 365 * DAY_MS, buckets: 365 });

      assert.equal(days.length, 365);
      const odd = days.filter(({ receivedBytes }) => receivedBytes !== 24);
      assert.deepEqual(
        odd.map(({ startUnixMs, seconds, receivedBytes }) => [
          new Date(startUnixMs).toISOString(),
          seconds,
          receivedBytes,
        ]),
        [
          ['2026-03-28T23:00:00.000Z', 23 * 3_600, 23],
          ['2026-10-24T22:00:00.000Z', 25 * 3_600, 25],
        ],
      );
    }));

  it('is forgotten with its device, and with no other', () =>
    withStats((stats, clock) => {
      const session = { device: 'd0', startUnixMs: 0, endUnixMs: 9, receivedBytes: 1, sentBytes: 1 };
      stats.addTraffic(clock.unixMs, 60, new Map([...one(1), ['d1', { received: 2, sent: 2 }]]));
      stats.addSession(session);
      stats.addSession({ ...session, device: 'd1' });

      stats.forget(['d0']);

      const period = { fromUnixMs: clock.unixMs - HOUR_MS, toUnixMs: clock.unixMs + 1, buckets: 9 };
      assert.deepEqual([stats.traffic('d0', period).length, stats.traffic('d1', period).length], [0, 1]);
      assert.deepEqual([stats.sessions('d0', 0, 9).length, stats.sessions('d1', 0, 9).length], [0, 1]);
    }));

  it('takes 20 to 30 bytes a row', () =>
    withStats((stats, clock) => {
      const before = stats.database.numberOf('page_count');
      for (let minute = 0; minute < 2_880; minute++) {
        clock.advance(MINUTE_MS);
        stats.addTraffic(clock.unixMs, 60, new Map([['d0', { received: 75_000_000, sent: 75_000_000 }]]));
      }

      const rows = Number(stats.database.statement('SELECT count(*) AS n FROM traffic').get()?.['n']);
      const bytes = (stats.database.numberOf('page_count') - before) * stats.database.numberOf('page_size');
      assert.ok(bytes / rows < 40, `${bytes / rows} bytes`);
    }));
});

describe('sessions of a device', () => {
  it('are those that overlap a period, the oldest first', () =>
    withStats((stats) => {
      const session = (startMs: number) => ({
        device: 'd0',
        startUnixMs: START_UNIX_MS + startMs,
        endUnixMs: START_UNIX_MS + startMs + 10,
        receivedBytes: 1,
        sentBytes: 2,
      });
      for (const start of [40, 0, 20]) stats.addSession(session(start));

      assert.deepEqual(stats.sessions('d0', START_UNIX_MS + 10, START_UNIX_MS + 41), [session(20), session(40)]);
      assert.deepEqual(stats.sessions('d0', START_UNIX_MS + 30, START_UNIX_MS + 40), []);
    }));

  it('are replaced by one that started at the same moment: it goes on', () =>
    withStats((stats) => {
      const session = {
        device: 'd0',
        startUnixMs: START_UNIX_MS + 5,
        endUnixMs: START_UNIX_MS + 10,
        receivedBytes: 1,
        sentBytes: 2,
      };
      stats.addSession(session);
      stats.addSession({ ...session, endUnixMs: START_UNIX_MS + 50, receivedBytes: 7 });

      const whole = { ...session, endUnixMs: START_UNIX_MS + 50, receivedBytes: 7 };
      assert.deepEqual(stats.sessions('d0', START_UNIX_MS, START_UNIX_MS + 99), [whole]);
    }));
});

function one(received: number): ReadonlyMap<string, { received: number; sent: number }> {
  return new Map([['d0', { received, sent: 0 }]]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function withStats(test: (stats: StatsDatabase, clock: VirtualClock) => void): Promise<void> {
  await withFolder((folder) => {
    const clock = new VirtualClock();
    const stats = StatsDatabase.open(SQLITE, join(folder, 'stats.db'), clock);
    // These tests write thousands of transactions, and none of them is about power failures.
    stats.database.exec('PRAGMA synchronous = OFF');
    try {
      test(stats, clock);
    } finally {
      stats.database.close();
    }
  });
}
