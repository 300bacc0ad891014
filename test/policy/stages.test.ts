import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CLOSED, GATEWAY, LAPTOP, laptop, makePolicy, PHONE, packet, pass, phone, rule } from './small-gateway.js';

const PUBLIC = '1.1.1.1';
const STRANGER = '10.8.0.77';

describe('the stages of policy', () => {
  it('count the bytes of what passes, by device and direction, and not those of what is dropped', () => {
    const policy = makePolicy([phone({ switches: { ...CLOSED, internet: true } }), laptop()]);
    const up = packet(PHONE, PUBLIC);
    const down = packet(PUBLIC, PHONE);

    assert.deepEqual(pass(policy, 'inbound', 0, up, packet(PHONE, LAPTOP)), [true, false]);
    assert.deepEqual(pass(policy, 'outbound', 0, down, down), [true, true]);

    const { counts } = policy.report('phone', 0)!;
    assert.deepEqual([counts.receivedBytes, counts.sentBytes, counts.deniedDrops], [up.length, 2 * down.length, 1]);
  });

  it('leave a blocked device the gateway, and nothing else', () => {
    const policy = makePolicy([phone({ isBlocked: true }), laptop()]);
    const to = (address: string) => packet(PHONE, address);

    assert.deepEqual(pass(policy, 'inbound', 0, to(GATEWAY), to(PUBLIC), to(LAPTOP)), [true, false, false]);
    const from = (address: string) => packet(address, PHONE);
    assert.deepEqual(pass(policy, 'outbound', 0, from(GATEWAY), from(PUBLIC), from(LAPTOP)), [true, false, false]);

    assert.equal(policy.report('phone', 0)!.counts.standingDrops, 4);
  });

  it('drop and count what comes from an address that no device has', () => {
    const policy = makePolicy();

    assert.deepEqual(pass(policy, 'inbound', 0, packet(STRANGER, PUBLIC)), [false]);

    assert.equal(policy.unknownDeviceDrops, 1);
  });

  it('let devices talk as rules and switches say, and the answers of a flow with it', () => {
    const policy = makePolicy([phone(), laptop({ switches: CLOSED })]);
    assert.deepEqual(pass(policy, 'inbound', 0, packet(PHONE, LAPTOP), packet(LAPTOP, PHONE)), [true, false]);

    policy.setRules([rule({ id: 'r1', action: 'deny', to: { kind: 'device', device: 'laptop' } })]);
    assert.deepEqual(pass(policy, 'inbound', 1, packet(PHONE, LAPTOP)), [false]);
  });

  it('drop beyond a rate what finds its bucket empty, and let pass what comes when it has filled again', () => {
    const policy = makePolicy([phone({ limits: { upBitsPerSecond: 8_000 } })]);
    const large = packet(PHONE, PUBLIC, { payload: new Uint8Array(1_400) });
    const burst = pass(policy, 'inbound', 0, ...Array.from({ length: 40 }, () => large));
    const passed = burst.filter(Boolean).length;
    assert.ok(passed > 10 && passed < 20, `${passed} packets at once`);
    assert.equal(policy.report('phone', 0)!.counts.upRateDrops, 40 - passed);

    assert.deepEqual(pass(policy, 'inbound', 100, large), [false]);
    assert.deepEqual(pass(policy, 'inbound', 1_500, large), [true]);
  });
});
