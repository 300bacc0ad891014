import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { AccessRule, Decision, Flow } from '../../src/policy/access.js';
import {
  CLOSED,
  device,
  flow,
  GATEWAY,
  GATEWAY6,
  ip,
  LAPTOP,
  laptop,
  makePolicy,
  NOON_UNIX_MS,
  OPEN,
  phone,
  prefix,
  rule,
} from './small-gateway.js';

function decide(rules: readonly AccessRule[], of: Flow, devices = [phone(), laptop()]): Decision {
  const policy = makePolicy(devices);
  policy.setRules(rules);
  return policy.decide(of, 0);
}

const INTERNET = '8.8.8.8';
const LAN = '192.168.1.10';

describe('A device without rights', () => {
  const cases = [
    ['blocked', 'device-blocked', phone({ isBlocked: true })],
    ['expired', 'device-expired', phone({ expiresAtUnixMs: NOON_UNIX_MS })],
    ['out of quota', 'quota-used', phone({ limits: { quotaBytes: 0 } })],
    ['unknown', 'unknown-device', device({ id: 'other' })],
  ] as const;
  for (const [name, reason, who] of cases) {
    it(`that is ${name} reaches the gateway's own addresses and nothing else, whatever is allowed`, () => {
      const rules = [
        rule({ id: 'all', action: 'allow' }),
        rule({ id: 'host', action: 'allow', to: prefix('127.0.0.1/32') }),
      ];
      for (const to of [INTERNET, LAN, LAPTOP, '127.0.0.1', '169.254.169.254', '2606:4700::1', 'fd08::3'])
        assert.deepEqual(decide(rules, flow(to), [who, laptop()]), { isAllowed: false, reason });
      for (const to of [GATEWAY, GATEWAY6])
        assert.deepEqual(decide(rules, flow(to), [who, laptop()]), { isAllowed: true, reason: 'gateway' });
    });

    it(`that is ${name} cannot reach the gateway where a rule denies it: blocking never gives more`, () => {
      const rules = [rule({ id: 'no', action: 'deny', to: { kind: 'gateway' } })];
      assert.deepEqual(decide(rules, flow(GATEWAY), [who]), { isAllowed: false, reason: 'rule', rule: 'no' });
    });

    if (name !== 'unknown')
      it(`that is ${name} is not reached by others`, () => {
        const of = flow('10.8.0.2', 22, { device: 'laptop' });
        assert.deepEqual(decide([], of, [who, laptop()]), { isAllowed: false, reason, otherDevice: 'phone' });
      });
  }
});

describe('What is denied by default', () => {
  const denied = [
    ['127.0.0.1', '127.0.0.0/8', 'this-host'],
    ['0.0.0.0', '0.0.0.0/8', 'this-host'],
    ['::1', '::1/128', 'this-host'],
    ['93.184.216.34', '93.184.216.34/32', 'this-host'],
    ['169.254.1.1', '169.254.0.0/16', 'link-local'],
    ['fe80::1', 'fe80::/10', 'link-local'],
    ['169.254.169.254', '169.254.169.254/32', 'metadata'],
    ['fd00:ec2::254', 'fd00:ec2::254/128', 'metadata'],
    ['224.0.0.251', '224.0.0.0/4', 'not-unicast'],
    ['ff02::1', 'ff00::/8', 'not-unicast'],
  ] as const;
  const judge = (rules: readonly AccessRule[], to: string): Decision => {
    const policy = makePolicy();
    policy.setOwnAddresses([ip('93.184.216.34')]);
    policy.setRules(rules);
    return policy.decide(flow(to), 0);
  };
  const widened = (range: string): string => {
    const [address, length] = range.split('/');
    return `${address}/${Number(length) - 1}`;
  };

  for (const [to, range, reason] of denied) {
    it(`${to} is closed as ${reason}, by switch and by broad rules`, () => {
      const everything = to.includes(':') ? '::/0' : '0.0.0.0/0';
      for (const target of [
        { kind: 'anything' },
        { kind: 'internet' },
        { kind: 'lan' },
        prefix(everything),
        prefix(widened(range)),
      ] as const)
        assert.deepEqual(judge([rule({ id: 'a', action: 'allow', to: target })], to), { isAllowed: false, reason });
    });

    it(`${to} is opened by a rule for ${range}`, () => {
      const opened = judge([rule({ id: 'a', action: 'allow', to: prefix(range) })], to);
      assert.deepEqual(opened, { isAllowed: true, reason: 'rule', rule: 'a' });
    });
  }

  const broad = rule({ id: 'broad', action: 'allow', to: prefix('127.0.0.0/8') });
  const narrow = rule({ id: 'narrow', action: 'deny', to: prefix('127.0.0.1/32') });

  it('stays closed by a denial with a longer prefix, in either order', () => {
    for (const rules of [
      [broad, narrow],
      [narrow, broad],
    ]) {
      assert.equal(judge(rules, '127.0.0.1').rule, 'narrow');
      assert.equal(judge(rules, '127.0.0.2').rule, 'broad');
    }
  });

  it('stays closed by a denial with the same prefix, in either order', () => {
    const same = rule({ id: 'same', action: 'deny', to: prefix('127.0.0.0/8') });
    for (const rules of [
      [broad, same],
      [same, broad],
    ])
      assert.equal(judge(rules, '127.0.0.1').isAllowed, false);
  });

  it('stays closed by any denial that stands first', () => {
    const rules = [rule({ id: 'first', action: 'deny' }), broad];
    assert.deepEqual(judge(rules, '127.0.0.1'), { isAllowed: false, reason: 'rule', rule: 'first' });
  });

  it('is opened for the subject, the protocol and the ports of the rule only', () => {
    const rules = [
      rule({
        id: 'dns',
        action: 'allow',
        from: { kind: 'device', device: 'phone' },
        to: prefix('127.0.0.53/32'),
        protocol: 'udp',
        ports: { first: 53, last: 53 },
      }),
    ];
    const policy = makePolicy();
    policy.setRules(rules);
    assert.ok(policy.decide(flow('127.0.0.53', 53, { protocol: 'udp' }), 0).isAllowed);
    assert.ok(!policy.decide(flow('127.0.0.53', 53, { protocol: 'tcp' }), 0).isAllowed);
    assert.ok(!policy.decide(flow('127.0.0.53', 54, { protocol: 'udp' }), 0).isAllowed);
    assert.ok(!policy.decide(flow('127.0.0.53', 53, { protocol: 'udp', device: 'laptop' }), 0).isAllowed);
  });

  it('holds for an own address in the LAN although a rule allows the LAN', () => {
    const policy = makePolicy();
    policy.setOwnAddresses([ip(LAN)]);
    policy.setRules([rule({ id: 'a', action: 'allow', to: prefix('192.168.1.0/24') })]);
    assert.equal(policy.decide(flow(LAN), 0).reason, 'this-host');
    assert.equal(policy.decide(flow('192.168.1.11'), 0).rule, 'a');
  });
});

describe('Rules', () => {
  it('decide in their order, the first match', () => {
    const deny = rule({ id: 'd', action: 'deny', to: prefix('192.168.1.0/24') });
    const allow = rule({ id: 'a', action: 'allow', to: prefix('192.168.1.10/32') });
    assert.equal(decide([deny, allow], flow(LAN)).rule, 'd');
    assert.equal(decide([allow, deny], flow(LAN)).rule, 'a');
    assert.equal(decide([allow, deny], flow('192.168.1.11')).rule, 'd');
  });

  it('go before the switches', () => {
    const allow = rule({ id: 'a', action: 'allow' });
    for (const to of [INTERNET, LAN, LAPTOP])
      assert.equal(decide([allow], flow(to), [phone({ switches: CLOSED }), laptop()]).rule, 'a');
  });

  it('match by device, by tag and everybody', () => {
    const who = phone({ tags: ['guest'] });
    for (const from of [
      { kind: 'everyone' },
      { kind: 'device', device: 'phone' },
      { kind: 'tag', tag: 'guest' },
    ] as const)
      assert.equal(decide([rule({ id: 'r', action: 'deny', from })], flow(INTERNET), [who]).rule, 'r');
    for (const from of [
      { kind: 'device', device: 'laptop' },
      { kind: 'tag', tag: 'staff' },
    ] as const)
      assert.equal(decide([rule({ id: 'r', action: 'deny', from })], flow(INTERNET), [who]).rule, undefined);
  });

  it('match by target', () => {
    const devices = [phone(), laptop({ tags: ['staff'] })];
    const targets = [
      [{ kind: 'anything' }, [INTERNET, LAN, LAPTOP]],
      [{ kind: 'internet' }, [INTERNET]],
      [{ kind: 'lan' }, [LAN]],
      [{ kind: 'gateway' }, [GATEWAY]],
      [{ kind: 'everyone' }, [LAPTOP]],
      [{ kind: 'device', device: 'laptop' }, [LAPTOP]],
      [{ kind: 'tag', tag: 'staff' }, [LAPTOP]],
      [{ kind: 'tag', tag: 'guest' }, []],
      [prefix('10.8.0.0/24'), [LAPTOP, GATEWAY]],
    ] as const;
    for (const [to, matching] of targets)
      for (const address of [INTERNET, LAN, LAPTOP, GATEWAY])
        assert.equal(
          decide([rule({ id: 'r', action: 'deny', to })], flow(address), devices).rule,
          (matching as readonly string[]).includes(address) ? 'r' : undefined,
          `${to.kind} ${address}`,
        );
  });

  it('with ports match both ends of the range, and no ping', () => {
    const rules = [rule({ id: 'r', action: 'deny', ports: { first: 22, last: 25 } })];
    for (const [port, id] of [
      [21, undefined],
      [22, 'r'],
      [25, 'r'],
      [26, undefined],
    ] as const)
      assert.equal(decide(rules, flow(INTERNET, port)).rule, id);
    const all = [rule({ id: 'r', action: 'deny', ports: { first: 0, last: 65_535 } })];
    assert.equal(decide(all, flow(INTERNET, 0, { protocol: 'icmp' })).rule, undefined);
  });

  it('that name a protocol leave the others alone', () => {
    const rules = [rule({ id: 'r', action: 'deny', protocol: 'icmp' })];
    assert.equal(decide(rules, flow(INTERNET, 0, { protocol: 'icmp' })).rule, 'r');
    for (const protocol of ['tcp', 'udp', 'other'] as const)
      assert.equal(decide(rules, flow(INTERNET, 0, { protocol })).rule, undefined);
  });
});

describe('The switches', () => {
  const cases = [
    ['internet', [INTERNET, '2606:4700::1']],
    ['lan', [LAN, '10.1.2.3', 'fd12::1', '100.64.0.1']],
    ['devices', [LAPTOP, 'fd08::3', '10.8.0.77']],
  ] as const;
  for (const [name, addresses] of cases)
    it(`"${name}" decides about ${addresses.join(', ')}`, () => {
      for (const to of addresses) {
        const off = [phone({ switches: { ...OPEN, [name]: false } }), laptop()];
        const on = [phone({ switches: { ...CLOSED, [name]: true } }), laptop()];
        assert.deepEqual(decide([], flow(to), off), { isAllowed: false, reason: 'switch', switch: name });
        assert.deepEqual(decide([], flow(to), on), { isAllowed: true, reason: 'switch', switch: name });
      }
    });

  it('leave the gateway open', () => {
    assert.deepEqual(decide([], flow(GATEWAY, 53), [phone({ switches: CLOSED })]), {
      isAllowed: true,
      reason: 'gateway',
    });
  });
});

describe('Decisions are counted', () => {
  it('per reason and per rule, and not by an explanation', () => {
    const policy = makePolicy();
    policy.setRules([rule({ id: 'r', action: 'deny', to: prefix('8.8.8.8/32') })]);
    for (let i = 0; i < 3; i++) policy.decide(flow('8.8.8.8'), 0);
    policy.decide(flow('1.1.1.1'), 0);
    policy.decide(flow('127.0.0.1'), 0);
    policy.explain(flow('8.8.8.8'), 0);
    assert.deepEqual([...policy.counts.rules], [['r', { allowed: 0, denied: 3 }]]);
    assert.deepEqual(
      [...policy.counts.reasons],
      [
        ['rule', { allowed: 0, denied: 3 }],
        ['switch', { allowed: 1, denied: 0 }],
        ['this-host', { allowed: 0, denied: 1 }],
      ],
    );
    policy.setRules([]);
    assert.equal(policy.counts.rules.size, 0);
  });
});

describe('Explanations', () => {
  it('have what "phone → 192.168.1.10:22 is denied by rule 3" needs', () => {
    const policy = makePolicy();
    policy.setRules([
      rule({ id: 'a', action: 'allow', to: { kind: 'internet' } }),
      rule({ id: 'b', action: 'allow', protocol: 'udp' }),
      rule({ id: 'c', action: 'deny', to: { kind: 'lan' }, ports: { first: 22, last: 22 } }),
    ]);
    assert.deepEqual(policy.explain(flow(LAN, 22), 0), {
      isAllowed: false,
      reason: 'rule',
      rule: 'c',
      ruleNumber: 3,
      device: 'phone',
      protocol: 'tcp',
      destination: '192.168.1.10',
      port: 22,
      place: 'lan',
    });
  });

  it('name the other device, and the inner address', () => {
    const policy = makePolicy([phone(), laptop({ isBlocked: true })]);
    assert.deepEqual(policy.explain(flow(LAPTOP, 0, { protocol: 'icmp' }), 0), {
      isAllowed: false,
      reason: 'device-blocked',
      otherDevice: 'laptop',
      device: 'phone',
      protocol: 'icmp',
      destination: LAPTOP,
      place: 'device',
      destinationDevice: 'laptop',
    });
    const inner = policy.explain(flow('64:ff9b::169.254.169.254', 80), 0);
    assert.equal(inner.innerDestination, '169.254.169.254');
    assert.equal(inner.reason, 'metadata');
  });

  it('agree with the decision', () => {
    const policy = makePolicy([phone({ switches: CLOSED }), laptop()]);
    for (const to of [LAN, LAPTOP, INTERNET, GATEWAY, '::1', 'ff02::1', 'fe80::1']) {
      const { isAllowed, reason } = policy.explain(flow(to), 0);
      const decided = policy.decide(flow(to), 0);
      assert.deepEqual({ isAllowed, reason }, { isAllowed: decided.isAllowed, reason: decided.reason });
    }
  });
});
