import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PacketBatch } from '../../src/core/packets/packet-batch.js';
import type { Policy } from '../../src/policy/policy.js';
import { makePolicy, OPEN, PHONE, packet, phone, rule, tcpSegment } from './small-gateway.js';

const SERVER = '8.8.8.8';
const ROUTER = '9.9.9.1';
const ICMP = 1;

function judged(policy: Policy, stage: 'mayLeaveHost' | 'mayAnswer', bytes: Uint8Array, nowMs = 0): boolean {
  const batch = new PacketBatch(1, 128 * 1024);
  const row = batch.appendRow(bytes.length);
  batch.bytes.set(bytes, batch.offset[row]);
  return policy[stage](batch, row, nowMs);
}

const out = (source = 1_000, port = 443): Uint8Array => packet(PHONE, SERVER, { payload: tcpSegment(source, port) });
const back = (source = 443, port = 1_000, from = SERVER): Uint8Array =>
  packet(from, PHONE, { payload: tcpSegment(source, port) });

function unreachable(from: string, quoted: Uint8Array): Uint8Array {
  const payload = Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, ...quoted.subarray(0, 40));
  return packet(from, PHONE, { protocol: ICMP, payload });
}

describe('Packets that the kernel carries', () => {
  it('leave where policy lets their flow begin, and only answers come back', () => {
    const policy = makePolicy([phone({ switches: { ...OPEN, lan: false } })]);
    assert.equal(judged(policy, 'mayAnswer', back()), false, 'nobody asked');
    assert.equal(judged(policy, 'mayLeaveHost', out()), true);
    assert.equal(judged(policy, 'mayAnswer', back()), true);
    assert.equal(judged(policy, 'mayAnswer', back(443, 1_001)), false, 'another port');
    assert.equal(judged(policy, 'mayAnswer', back(443, 1_000, '8.8.4.4')), false, 'another host');
    assert.equal(judged(policy, 'mayLeaveHost', packet(PHONE, '192.168.1.1', { payload: tcpSegment(1, 2) })), false);
    assert.equal(policy.report('phone', 0)!.counts.deniedDrops, 1);
  });

  it('carry errors of any router about a flow that passes', () => {
    const policy = makePolicy([phone()]);
    assert.equal(judged(policy, 'mayAnswer', unreachable(ROUTER, out())), false);
    judged(policy, 'mayLeaveHost', out());
    assert.equal(judged(policy, 'mayAnswer', unreachable(ROUTER, out())), true);
    assert.equal(judged(policy, 'mayAnswer', unreachable(ROUTER, out(1_001))), false);
    assert.equal(judged(policy, 'mayAnswer', unreachable(ROUTER, out().subarray(0, 12))), false);
  });

  it('are refused in both directions from the moment that a rule forbids their flow', () => {
    const policy = makePolicy([phone()]);
    judged(policy, 'mayLeaveHost', out());
    policy.setRules([rule({ id: 'no', action: 'deny' })]);
    assert.equal(judged(policy, 'mayAnswer', back()), false);
    assert.equal(judged(policy, 'mayLeaveHost', out()), false);
  });

  it('go on to answer a device that sends nothing meanwhile, whatever else changes', () => {
    const policy = makePolicy([phone()]);
    judged(policy, 'mayLeaveHost', out());
    policy.setRules([rule({ id: 'other', action: 'deny', from: { kind: 'device', device: 'laptop' } })]);
    assert.equal(judged(policy, 'mayAnswer', back()), true);
    policy.putDevice(phone({ id: 'third', addresses: [] }), 0);
    assert.equal(judged(policy, 'mayAnswer', back()), true);
    policy.setRules([rule({ id: 'no', action: 'deny' })]);
    assert.equal(judged(policy, 'mayAnswer', back()), false);
  });

  it('are judged, not remembered for ever: a silent flow of UDP ends after five minutes (RFC 4787 REQ-5)', () => {
    const policy = makePolicy([phone()]);
    const udp = (from: string, to: string, ports: [number, number]) =>
      packet(from, to, {
        protocol: 17,
        payload: Uint8Array.of(...ports.flatMap((p) => [p >> 8, p & 255]), 0, 8, 0, 0),
      });
    assert.equal(judged(policy, 'mayLeaveHost', udp(PHONE, SERVER, [5_000, 53])), true);
    assert.equal(judged(policy, 'mayAnswer', udp(SERVER, PHONE, [53, 5_000]), 299_000), true);
    assert.equal(judged(policy, 'mayAnswer', udp(SERVER, PHONE, [53, 5_000]), 301_000), false);
  });
});
