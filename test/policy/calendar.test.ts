import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { Calendar, isTimeZone } from '../../src/policy/calendar.js';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Havana',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Shanghai',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
];
const HOUR_MS = 3_600_000;

function assertPeriod(zone: string, at: string, resetDay: number, start: string, end: string): void {
  const period = new Calendar(zone).periodAt(Date.parse(at), resetDay);
  assert.deepEqual(
    [period.startUnixMs, period.endUnixMs].map((unixMs) => new Date(unixMs).toISOString()),
    [start, end].map((text) => new Date(text).toISOString()),
  );
}

describe('The period of a quota', () => {
  it('runs from reset day to reset day', () => {
    assertPeriod('UTC', '2026-03-10T12:00Z', 10, '2026-03-10T00:00Z', '2026-04-10T00:00Z');
    assertPeriod('UTC', '2026-03-09T23:59:59.999Z', 10, '2026-02-10T00:00Z', '2026-03-10T00:00Z');
    assertPeriod('UTC', '2026-12-31T12:00Z', 1, '2026-12-01T00:00Z', '2027-01-01T00:00Z');
    assertPeriod('UTC', '2026-01-01T00:00Z', 15, '2025-12-15T00:00Z', '2026-01-15T00:00Z');
  });

  it('begins on the last day of a month that is shorter', () => {
    assertPeriod('UTC', '2026-02-27T12:00Z', 31, '2026-01-31T00:00Z', '2026-02-28T00:00Z');
    assertPeriod('UTC', '2026-02-28T00:00Z', 31, '2026-02-28T00:00Z', '2026-03-31T00:00Z');
    assertPeriod('UTC', '2026-04-30T12:00Z', 31, '2026-04-30T00:00Z', '2026-05-31T00:00Z');
    assertPeriod('UTC', '2028-02-29T12:00Z', 30, '2028-02-29T00:00Z', '2028-03-30T00:00Z');
    assertPeriod('UTC', '2028-02-28T12:00Z', 29, '2028-01-29T00:00Z', '2028-02-29T00:00Z');
  });

  it("begins at the zone's own midnight", () => {
    assertPeriod('Asia/Shanghai', '2026-03-09T16:00Z', 10, '2026-03-09T16:00Z', '2026-04-09T16:00Z');
    assertPeriod('Asia/Shanghai', '2026-03-09T15:59:59Z', 10, '2026-02-09T16:00Z', '2026-03-09T16:00Z');
    assertPeriod('Pacific/Kiritimati', '2026-03-10T12:00Z', 11, '2026-03-10T10:00Z', '2026-04-10T10:00Z');
  });

  it('keeps to midnight when summer time begins and ends', () => {
    assertPeriod('Europe/Berlin', '2026-03-29T12:00Z', 29, '2026-03-28T23:00Z', '2026-04-28T22:00Z');
    assertPeriod('Europe/Berlin', '2026-10-25T12:00Z', 25, '2026-10-24T22:00Z', '2026-11-24T23:00Z');
  });

  it('begins with the first moment of a day that has no midnight, or two', () => {
    assertPeriod('America/Havana', '2026-03-08T12:00Z', 8, '2026-03-08T05:00Z', '2026-04-08T04:00Z');
    assertPeriod('Asia/Beirut', '2026-03-29T12:00Z', 29, '2026-03-28T22:00Z', '2026-04-28T21:00Z');
    assertPeriod('America/Havana', '2026-11-01T12:00Z', 1, '2026-11-01T04:00Z', '2026-12-01T05:00Z');
  });

  it('begins on the next day where a zone has skipped the reset day', () => {
    assertPeriod('Pacific/Apia', '2011-12-31T12:00Z', 30, '2011-12-30T10:00Z', '2012-01-29T10:00Z');
  });

  it('holds its moment, and is followed by the next one without a gap', () => {
    const unixMs = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2060, 0) });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), unixMs, fc.integer({ min: 1, max: 31 }), (zone, at, resetDay) => {
        const period = new Calendar(zone).periodAt(at, resetDay);
        assert.ok(period.startUnixMs <= at && at < period.endUnixMs);
        const hours = (period.endUnixMs - period.startUnixMs) / HOUR_MS;
        assert.ok(hours > 27.9 * 24 && hours < 31.1 * 24, `${hours} h`);
        const calendar = new Calendar(zone);
        assert.deepEqual(calendar.periodAt(period.endUnixMs - 1, resetDay), period);
        assert.equal(calendar.periodAt(period.endUnixMs, resetDay).startUnixMs, period.endUnixMs);
        assert.notEqual(dayOf(zone, period.startUnixMs - 1), dayOf(zone, period.startUnixMs));
        assert.ok(dayOf(zone, period.startUnixMs) <= resetDay);
      }),
      { numRuns: 150 },
    );
  });

  it('is in a zone of the database', () => {
    for (const zone of ZONES) assert.ok(isTimeZone(zone));
    for (const name of ['', 'Mars/Olympus', 'Europe/Berlin ']) assert.ok(!isTimeZone(name), name);
  });
});

function dayOf(timeZone: string, unixMs: number): number {
  return Number(new Date(unixMs).toLocaleString('en', { timeZone, day: 'numeric' }));
}
