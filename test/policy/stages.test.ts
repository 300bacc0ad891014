import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  GATEWAY,
  ip,
  LAPTOP,
  laptop,
  makePolicy,
  OPEN,
  PHONE,
  packet,
  pass,
  phone,
  prefix,
  rule,
  tcpSegment,
} from './small-gateway.js';

const INTERNET = '8.8.8.8';
const ALONE = { ...OPEN, devices: false };
const ICMP = 1;
const UDP = 17;
const MORE_FRAGMENTS = 0x2000;

/** The phone may begin flows to the laptop, and not the other way round. */
const oneWay = () => makePolicy([phone(), laptop({ switches: ALONE })]);
const to = (ports: [number, number]) => packet(PHONE, LAPTOP, { payload: tcpSegment(...ports) });
const back = (ports: [number, number]) => packet(LAPTOP, PHONE, { payload: tcpSegment(...ports) });

function echo(source: string, destination: string, type: number, id: number): Uint8Array {
  return packet(source, destination, {
    protocol: ICMP,
    payload: Uint8Array.of(type, 0, 0, 0, id >> 8, id & 0xff, 0, 1),
  });
}

function unreachable(source: string, destination: string, quoted: Uint8Array): Uint8Array {
  const payload = Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0, ...quoted.subarray(0, 28));
  return packet(source, destination, { protocol: ICMP, payload });
}

describe('The stages', () => {
  it('count packets and bytes of a device both ways, and nothing that is dropped', () => {
    const policy = makePolicy();
    const up = packet(PHONE, INTERNET, { payload: tcpSegment(1, 2, 60) });
    const down = packet(INTERNET, PHONE, { payload: tcpSegment(2, 1, 160) });
    pass(policy, 'inbound', 0, up, up);
    pass(policy, 'outbound', 0, down, down, down);
    policy.putDevice(phone({ isBlocked: true }), 1);
    pass(policy, 'inbound', 1, up);
    pass(policy, 'outbound', 1, down);
    assert.deepEqual(policy.report('phone', 1)!.counts, {
      receivedBytes: 200,
      sentBytes: 600,
      receivedPackets: 2,
      sentPackets: 3,
      standingDrops: 2,
      deniedDrops: 0,
      upRateDrops: 0,
      downRateDrops: 0,
    });
  });

  it('let a stranger reach the gateway and nothing else, and count it', () => {
    const policy = makePolicy();
    const strange = (destination: string) => packet('10.8.0.66', destination);
    assert.deepEqual(pass(policy, 'inbound', 0, strange(GATEWAY), strange(INTERNET), strange(LAPTOP)), [
      true,
      false,
      false,
    ]);
    assert.equal(policy.unknownDeviceDrops, 2);
  });

  it('drop what is above the rate of its direction, and fill the bucket again', () => {
    const limits = { upBitsPerSecond: 8e6, downBitsPerSecond: 0 };
    const policy = makePolicy([phone({ limits })]);
    const full = packet(PHONE, INTERNET, { payload: tcpSegment(1, 2, 960) });
    const passing = (nowMs: number) =>
      pass(policy, 'inbound', nowMs, ...Array<Uint8Array>(120).fill(full)).filter(Boolean);
    const burst = Array.from({ length: 10 }, () => passing(0).length).reduce((sum, count) => sum + count);
    assert.ok(burst >= 100 && burst < 1_000, `${burst}`);
    assert.equal(passing(10).length, 10);
    assert.deepEqual(pass(policy, 'outbound', 10, packet(INTERNET, PHONE)), [false]);
    const { counts } = policy.report('phone', 10)!;
    assert.equal(counts.upRateDrops, 1_200 - burst + 110);
    assert.equal(counts.downRateDrops, 1);
  });
});

describe('From device to device', () => {
  it('answers come back to who may ask, and the other end may not ask', () => {
    const policy = oneWay();
    assert.deepEqual(pass(policy, 'inbound', 0, back([22, 50_000])), [false]);
    assert.deepEqual(pass(policy, 'inbound', 0, to([50_000, 22]), back([22, 50_000])), [true, true]);
    assert.deepEqual(pass(policy, 'inbound', 0, back([22, 50_001]), back([23, 50_000])), [false, false]);
    assert.equal(policy.report('laptop', 0)!.counts.deniedDrops, 3);
  });

  it('a flow is decided about once, and again when the rules have changed', () => {
    const policy = oneWay();
    for (let i = 0; i < 5; i++) pass(policy, 'inbound', i, to([50_000, 22]), back([22, 50_000]));
    assert.deepEqual([...policy.counts.reasons], [['switch', { allowed: 1, denied: 0 }]]);
    policy.setRules([rule({ id: 'r', action: 'deny', to: prefix(`${LAPTOP}/32`), ports: { first: 22, last: 22 } })]);
    assert.deepEqual(pass(policy, 'inbound', 9, back([22, 50_000]), to([50_000, 22])), [false, false]);
    policy.setRules([]);
    assert.deepEqual(pass(policy, 'inbound', 9, back([22, 50_000]), to([50_000, 22])), [true, true]);
  });

  it('answers end with the silence of who asked: 5 minutes for UDP, 124 for TCP (RFC 4787 REQ-5, RFC 5382 REQ-5)', () => {
    for (const [protocol, minutes] of [
      [UDP, 5],
      [6, 124],
    ] as const) {
      const policy = oneWay();
      const ask = packet(PHONE, LAPTOP, { protocol, payload: tcpSegment(50_000, 22) });
      const answer = packet(LAPTOP, PHONE, { protocol, payload: tcpSegment(22, 50_000) });
      assert.deepEqual(pass(policy, 'inbound', 0, ask), [true]);
      assert.deepEqual(pass(policy, 'inbound', minutes * 60_000 - 1, answer), [true]);
      assert.deepEqual(pass(policy, 'inbound', minutes * 60_000, answer), [false]);
    }
  });

  it('a ping is answered, and other identifiers are not', () => {
    const policy = oneWay();
    const ping = echo(PHONE, LAPTOP, 8, 7);
    assert.deepEqual(pass(policy, 'inbound', 0, ping, echo(LAPTOP, PHONE, 0, 7), echo(LAPTOP, PHONE, 0, 8)), [
      true,
      true,
      false,
    ]);
  });

  it('an ICMP error passes where it quotes a flow that may pass', () => {
    const policy = oneWay();
    const asked = to([50_000, 22]);
    pass(policy, 'inbound', 0, asked);
    const errors = [
      unreachable(LAPTOP, PHONE, asked),
      unreachable(LAPTOP, PHONE, to([50_001, 22])),
      unreachable(LAPTOP, PHONE, new Uint8Array(28)),
    ];
    assert.deepEqual(pass(policy, 'inbound', 0, ...errors), [true, false, false]);
  });

  it('later fragments follow the first one', () => {
    const first = packet(PHONE, LAPTOP, { protocol: UDP, payload: tcpSegment(5, 6, 12), fragment: MORE_FRAGMENTS });
    const later = packet(PHONE, LAPTOP, { protocol: UDP, payload: new Uint8Array(8), fragment: 4 });
    const other = later.slice();
    other[5] = 1;
    assert.deepEqual(pass(oneWay(), 'inbound', 0, later, first, later, other), [false, true, true, false]);
  });

  it('a packet without the ports that it should have is dropped', () => {
    const short = packet(PHONE, LAPTOP, { payload: new Uint8Array(3) });
    assert.deepEqual(pass(oneWay(), 'inbound', 0, short), [false]);
  });

  it('a port scan that is denied does not displace the flows of others', () => {
    const policy = oneWay();
    for (let port = 1; port <= 500; port++) pass(policy, 'inbound', 0, to([port, 22]));
    for (let port = 1; port <= 20_000; port++) pass(policy, 'inbound', 1, back([9_999, port]));
    let answered = 0;
    for (let port = 1; port <= 500; port++) if (pass(policy, 'inbound', 2, back([22, port]))[0]) answered++;
    assert.ok(answered > 490, `${answered} of 500`);
  });

  it('a device keeps its flows when its settings change, and loses them with its address', () => {
    const policy = oneWay();
    pass(policy, 'inbound', 0, to([50_000, 22]));
    policy.putDevice(phone({ tags: ['x'] }), 1);
    assert.deepEqual(pass(policy, 'inbound', 1, back([22, 50_000])), [true]);
    policy.putDevice(phone({ addresses: [ip('10.8.0.9')] }), 2);
    policy.putDevice(phone(), 3);
    assert.deepEqual(pass(policy, 'inbound', 3, back([22, 50_000])), [false]);
  });
});
