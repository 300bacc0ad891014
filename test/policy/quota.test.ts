import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Policy } from '../../src/policy/policy.js';
import { flow, GATEWAY, makePolicy, PHONE, packet, pass, phone, tcpSegment } from './small-gateway.js';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PACKET_BYTES = 1_000;
const INTERNET = '8.8.8.8';
const UP = packet(PHONE, INTERNET, { payload: tcpSegment(1, 2, PACKET_BYTES - 40) });
const DOWN = packet(INTERNET, PHONE, { payload: tcpSegment(2, 1, PACKET_BYTES - 40) });

const standing = (policy: Policy, nowMs: number) => policy.report('phone', nowMs)!.standing;
const used = (policy: Policy, nowMs: number): number => {
  const report = policy.report('phone', nowMs)!;
  return report.quota!.usedBytes;
};

/** A gateway whose phone has used 3,000 bytes of 10,000, two days before its reset on the 10th at noon of March 8th. */
function twoDaysBeforeReset(): { policy: Policy; startUnixMs: number } {
  const startUnixMs = Date.UTC(2026, 2, 8);
  const policy = makePolicy([phone({ limits: { quotaBytes: 10_000, quotaResetDay: 10 } })], { unixMs: startUnixMs });
  pass(policy, 'inbound', 0, UP, UP, UP);
  return { policy, startUnixMs };
}

describe('A quota', () => {
  it('counts both directions, and ends both but for the gateway itself', () => {
    const policy = makePolicy([phone({ limits: { quotaBytes: 5 * PACKET_BYTES } })]);
    const before = policy.revision;
    assert.deepEqual(pass(policy, 'inbound', 0, UP, UP, UP), [true, true, true]);
    assert.deepEqual(pass(policy, 'outbound', 0, DOWN, DOWN, DOWN), [true, true, false]);
    assert.deepEqual(pass(policy, 'inbound', 0, UP, packet(PHONE, GATEWAY)), [false, true]);
    assert.deepEqual(pass(policy, 'outbound', 0, packet(GATEWAY, PHONE)), [true]);
    assert.equal(standing(policy, 0), 'quota-used');
    assert.equal(policy.decide(flow(INTERNET), 0).reason, 'quota-used');
    assert.ok(policy.revision > before, 'flows that live have to be asked about again');
    assert.equal(policy.report('phone', 0)!.counts.standingDrops, 2);
  });

  it('starts again on its reset day, to the millisecond', () => {
    const { policy } = twoDaysBeforeReset();
    assert.equal(policy.nextDeadline(), 2 * DAY_MS);
    assert.equal(used(policy, 2 * DAY_MS - 1), 3_000);
    const before = policy.revision;
    policy.runDue(2 * DAY_MS);
    assert.equal(used(policy, 2 * DAY_MS), 0);
    assert.equal(policy.revision, before);
    assert.equal(policy.nextDeadline(), 33 * DAY_MS);
  });

  it('that was used up is open again after the reset, with the first packet and without a call', () => {
    const { policy } = twoDaysBeforeReset();
    pass(policy, 'inbound', 0, ...Array<Uint8Array>(7).fill(UP));
    assert.deepEqual(pass(policy, 'inbound', 2 * DAY_MS - 1, UP), [false]);
    assert.deepEqual(pass(policy, 'inbound', 2 * DAY_MS, UP), [true]);
  });

  it('is not forgiven, and not locked, by a clock that was wrong for an hour', () => {
    for (const wrongMs of [31 * DAY_MS, 365 * DAY_MS, 2 * DAY_MS]) {
      const { policy, startUnixMs } = twoDaysBeforeReset();
      policy.clockRead(startUnixMs + wrongMs, SECOND_MS);
      pass(policy, 'inbound', SECOND_MS, UP);
      policy.clockRead(startUnixMs + HOUR_MS, HOUR_MS);
      assert.equal(used(policy, HOUR_MS), 4_000, `${wrongMs} ms ahead`);
      assert.equal(policy.nextDeadline(), 2 * DAY_MS);
      assert.equal(used(policy, 2 * DAY_MS), 0);
    }
  });

  it('is not forgiven by a clock that goes wrong twice before it is right', () => {
    const { policy, startUnixMs } = twoDaysBeforeReset();
    for (const [wrongMs, nowMs] of [
      [31 * DAY_MS, 1_000],
      [365 * DAY_MS, 2_000],
    ] as const) {
      policy.clockRead(startUnixMs + wrongMs, nowMs);
      pass(policy, 'inbound', nowMs, UP);
    }
    policy.clockRead(startUnixMs + HOUR_MS, HOUR_MS);
    assert.equal(used(policy, HOUR_MS), 5_000);
    assert.equal(used(policy, 2 * DAY_MS), 0);
  });

  it('is taken up again by a machine that starts in 1970', () => {
    const record = twoDaysBeforeReset().policy.report('phone', 0)!.quota!;
    const policy = makePolicy([phone({ limits: { quotaBytes: 3_001, quotaResetDay: 10 } })], { unixMs: 0 });
    policy.restoreQuota('phone', record, 0);
    assert.equal(used(policy, 0), 3_000);
    pass(policy, 'inbound', 0, UP);
    assert.equal(standing(policy, 0), 'quota-used');
    policy.clockRead(Date.UTC(2026, 2, 8, 1), HOUR_MS);
    assert.equal(used(policy, HOUR_MS), 4_000);
    policy.clockRead(Date.UTC(2026, 2, 10), 2 * HOUR_MS);
    assert.equal(used(policy, 2 * HOUR_MS), 0);
  });

  it('is not forgiven by a clock that was set back and forth', () => {
    const { policy, startUnixMs } = twoDaysBeforeReset();
    policy.clockRead(startUnixMs - 365 * DAY_MS, SECOND_MS);
    assert.equal(used(policy, SECOND_MS), 3_000);
    policy.clockRead(startUnixMs, 2 * SECOND_MS);
    assert.equal(used(policy, 2 * SECOND_MS), 3_000);
  });

  it('survives a clock that is slewed around the moment of the reset', () => {
    const { policy, startUnixMs } = twoDaysBeforeReset();
    const resetMs = 2 * DAY_MS;
    policy.clockRead(startUnixMs + resetMs + 5, resetMs);
    assert.equal(used(policy, resetMs), 0);
    policy.clockRead(startUnixMs + resetMs - 5, resetMs + 1);
    assert.equal(used(policy, resetMs + 1), 3_000);
    assert.equal(used(policy, resetMs + 6), 0);
  });

  it('keeps what was used when reset day, zone or bound change', () => {
    const { policy } = twoDaysBeforeReset();
    policy.putDevice(phone({ limits: { quotaBytes: 3_000, quotaResetDay: 8 } }), SECOND_MS);
    assert.equal(used(policy, SECOND_MS), 3_000);
    assert.equal(standing(policy, SECOND_MS), 'quota-used');
    policy.putDevice(phone({ limits: { quotaBytes: 3_001, quotaResetDay: 8 } }), SECOND_MS);
    assert.equal(standing(policy, SECOND_MS), 'good');
    policy.setTimeZone('Asia/Shanghai', SECOND_MS);
    assert.equal(used(policy, SECOND_MS), 3_000);
    policy.putDevice(phone(), SECOND_MS);
    assert.equal(used(policy, SECOND_MS), 3_000);
  });

  it('is taken up again after a restart, within its period and after it', () => {
    const record = twoDaysBeforeReset().policy.report('phone', 0)!.quota!;
    for (const [days, expected] of [
      [1, 3_000],
      [2, 0],
    ] as const) {
      const limits = { quotaBytes: 10_000, quotaResetDay: 10 };
      const policy = makePolicy([phone({ limits })], { unixMs: Date.UTC(2026, 2, 8 + days) });
      policy.restoreQuota('phone', JSON.parse(JSON.stringify(record)), 0);
      assert.equal(used(policy, 0), expected);
    }
  });

  it('follows the zone of the gateway', () => {
    const limits = { quotaBytes: 10_000, quotaResetDay: 29 };
    const options = { timeZone: 'Europe/Berlin', unixMs: Date.UTC(2026, 2, 28, 22, 59, 59) };
    const policy = makePolicy([phone({ limits })], options);
    pass(policy, 'inbound', 0, UP);
    assert.equal(used(policy, 999), 1_000);
    assert.equal(used(policy, 1_000), 0);
  });
});

describe('Expiry', () => {
  const expiresAtUnixMs = Date.UTC(2026, 2, 8, 12);
  const startUnixMs = expiresAtUnixMs - 10 * SECOND_MS;
  const make = () => makePolicy([phone({ expiresAtUnixMs })], { unixMs: startUnixMs });

  it('comes to the second: with the packet that comes then', () => {
    const policy = make();
    assert.equal(policy.nextDeadline(), 10 * SECOND_MS);
    assert.deepEqual(pass(policy, 'inbound', 10 * SECOND_MS - 1, UP), [true]);
    assert.deepEqual(pass(policy, 'outbound', 10 * SECOND_MS - 1, DOWN), [true]);
    const before = policy.revision;
    assert.deepEqual(pass(policy, 'inbound', 10 * SECOND_MS, UP), [false]);
    assert.deepEqual(pass(policy, 'outbound', 10 * SECOND_MS, DOWN), [false]);
    assert.deepEqual(pass(policy, 'inbound', 10 * SECOND_MS, packet(PHONE, GATEWAY)), [true]);
    assert.equal(standing(policy, 10 * SECOND_MS), 'device-expired');
    assert.ok(policy.revision > before);
  });

  it('follows a clock that is set, forward and back', () => {
    const policy = make();
    policy.clockRead(expiresAtUnixMs + DAY_MS, SECOND_MS);
    assert.equal(standing(policy, SECOND_MS), 'device-expired');
    policy.clockRead(expiresAtUnixMs - DAY_MS, 2 * SECOND_MS);
    assert.equal(standing(policy, 2 * SECOND_MS), 'good');
    assert.equal(policy.nextDeadline(), DAY_MS + 2 * SECOND_MS);
    assert.equal(standing(policy, DAY_MS + 2 * SECOND_MS), 'device-expired');
  });

  it('is lifted by a later date', () => {
    const policy = make();
    policy.runDue(11 * SECOND_MS);
    assert.equal(standing(policy, 11 * SECOND_MS), 'device-expired');
    policy.putDevice(phone({ expiresAtUnixMs: expiresAtUnixMs + DAY_MS }), 11 * SECOND_MS);
    assert.equal(standing(policy, 11 * SECOND_MS), 'good');
    assert.equal(policy.nextDeadline(), DAY_MS + 10 * SECOND_MS);
  });
});
