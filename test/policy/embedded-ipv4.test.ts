import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { embeddedIpv4 } from '../../src/policy/embedded-ipv4.js';
import { formatIpAddress } from '../../src/wire/address-text.js';
import { flow, ip, laptop, makePolicy, phone, prefix, rule } from './small-gateway.js';

const ROWS: readonly (readonly [address: string, ...inner: readonly string[]])[] = [
  ['::ffff:192.0.2.33', '192.0.2.33'],
  ['::ffff:0:192.0.2.33', '192.0.2.33'],
  ['::192.0.2.33', '192.0.2.33'],
  ['64:ff9b::192.0.2.33', '192.0.2.33'],
  // RFC 6052 §2.4 writes 192.0.2.33 behind prefixes of these lengths; so do these.
  ['64:ff9b:1:c000:2:2100::', '192.0.2.33'],
  ['64:ff9b:1:c0:0:221::', '192.0.2.33'],
  ['64:ff9b:1:0:c0:2:2100:0', '192.0.2.33'],
  ['64:ff9b:1::192.0.2.33', '192.0.2.33'],
  ['2002:c000:221::1', '192.0.2.33'],
  // RFC 4380 §4: server 65.54.227.120, client 192.0.2.45 with all its bits turned.
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', '65.54.227.120', '192.0.2.45'],
  ['2001:db8::1'],
  ['2606:4700::1'],
  ['64:ff9b:2::7f00:1'],
];

describe('IPv4 inside of IPv6', () => {
  for (const [address, ...inner] of ROWS)
    it(`${address} holds ${inner.join(' or ') || 'none'}`, () => {
      const found = embeddedIpv4(ip(address)).map(formatIpAddress);
      for (const each of inner) assert.ok(found.includes(each), `${each} is not among ${found.join(', ')}`);
      if (inner.length === 0) assert.deepEqual(found, []);
    });

  it('is never in an IPv4 address', () => assert.deepEqual(embeddedIpv4(ip('127.0.0.1')), []));

  const covers = (inner: string): string[] => {
    const [a, b, c, d] = inner.split('.').map(Number);
    const hex = (high: number, low: number, mask = 0): string => (((high << 8) | low) ^ mask).toString(16);
    return [
      `::ffff:${inner}`,
      `::ffff:0:${inner}`,
      `::${inner}`,
      `64:ff9b::${inner}`,
      `64:ff9b:1::${inner}`,
      `64:ff9b:1:${hex(a, b)}:${hex(0, c)}:${hex(d, 0)}::`,
      `64:ff9b:1:${hex(0, a)}:${hex(0, b)}:${hex(c, d)}::`,
      `64:ff9b:1:0:${hex(0, a)}:${hex(b, c)}:${hex(d, 0)}:0`,
      `2002:${hex(a, b)}:${hex(c, d)}::1`,
      `2001:0:${hex(a, b)}:${hex(c, d)}:0:0:f7f7:f7f7`,
      `2001:0:808:808:0:0:${hex(a, b, 0xffff)}:${hex(c, d, 0xffff)}`,
    ];
  };

  const judged: readonly (readonly [inner: string, reason: string, switchName?: string])[] = [
    ['127.0.0.1', 'this-host'],
    ['169.254.169.254', 'metadata'],
    ['169.254.7.7', 'link-local'],
    ['100.100.100.200', 'metadata'],
    ['224.0.0.251', 'not-unicast'],
    ['192.168.1.1', 'switch', 'lan'],
    ['10.8.0.3', 'switch', 'devices'],
  ];
  for (const [inner, reason, switchName] of judged)
    for (const address of covers(inner))
      it(`${address} is judged as ${inner}`, () => {
        const closed = { internet: true, lan: false, devices: false };
        const policy = makePolicy([phone({ switches: closed }), laptop()]);
        const decision = policy.decide(flow(address), 0);
        assert.equal(decision.isAllowed, false);
        // A layout that can be read in several ways is judged by the strictest of them.
        if (address.startsWith('64:ff9b:1:')) return;
        assert.equal(decision.reason, reason);
        assert.equal(decision.switch, switchName);
      });

  for (const address of covers('93.184.216.34'))
    it(`${address} holds an own address of this host`, () => {
      const policy = makePolicy();
      policy.setOwnAddresses([ip('93.184.216.34')]);
      assert.equal(policy.decide(flow(address), 0).isAllowed, false);
    });

  for (const address of covers('10.8.0.1'))
    it(`${address} does not make a blocked device reach what is not the gateway`, () => {
      const isMapped = address.startsWith('::ffff:10');
      assert.equal(makePolicy([phone({ isBlocked: true })]).decide(flow(address), 0).isAllowed, isMapped);
      assert.equal(makePolicy().decide(flow(address), 0).reason, isMapped ? 'gateway' : 'this-host');
    });

  it('is denied by a rule about the inner address, and not opened by a rule about the outer one', () => {
    const policy = makePolicy([phone({ switches: { internet: true, lan: false, devices: false } })]);
    policy.setRules([rule({ id: 'a', action: 'allow', to: prefix('::/0') })]);
    for (const address of covers('192.168.1.1'))
      assert.equal(policy.decide(flow(address), 0).isAllowed, false, address);
    policy.setRules([rule({ id: 'd', action: 'deny', to: prefix('8.8.4.0/24') })]);
    for (const address of covers('8.8.4.4')) assert.equal(policy.decide(flow(address), 0).rule, 'd', address);
  });
});
