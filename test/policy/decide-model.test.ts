import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import type { AccessRule, Decision, Flow, PolicyDevice, Subject, Target } from '../../src/policy/access.js';
import { prefixOf } from '../../src/policy/prefix.js';
import { type NaiveWorld, naiveDecision } from './naive-policy.js';
import { device, GATEWAY, GATEWAY6, ip, makePolicy, NOON_UNIX_MS } from './small-gateway.js';

const RUNS = 3_000;
const OWN = ['93.184.216.34', '192.168.1.5', '2001:41d0::5'];
const RANGES: NaiveWorld['ranges'] = [
  ...['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'].map((text) => range(text, 'this-host')),
  ...['169.254.0.0/16', 'fe80::/10'].map((text) => range(text, 'link-local')),
  ...['169.254.169.254/32', '100.100.100.200/32', 'fd00:ec2::254/128'].map((text) => range(text, 'metadata')),
  ...['10.0.0.0/8', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].map((text) => range(text, 'lan')),
  ...['224.0.0.0/4', 'ff00::/8'].map((text) => range(text, 'not-unicast')),
  ...['10.8.0.0/24', 'fd08::/64'].map((text) => range(text, 'device')),
];
/** Addresses in and around the ranges. */
const ADDRESSES = [
  ...[GATEWAY, GATEWAY6, '10.8.0.2', '10.8.0.3', '10.8.0.4', 'fd08::2', 'fd08::3', '10.8.0.99', ...OWN],
  ...['127.0.0.1', '127.0.0.2', '0.0.0.1', '::1', '::', '169.254.1.1', '169.254.169.254', 'fe80::1', '100.100.100.200'],
  ...['fd00:ec2::254', '10.1.1.1', '192.168.1.1', '192.168.1.6', '100.64.0.1', 'fd12::1', '224.0.0.1', 'ff02::1'],
  ...['8.8.8.8', '8.8.4.4', '2606:4700::1', '93.184.216.35'],
].map(ip);

const ids = fc.constantFrom('a', 'b', 'c');
const tags = fc.constantFrom('x', 'y');
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.constant({ kind: 'everyone' } as const),
  fc.record({ kind: fc.constant('device' as const), device: ids }),
  fc.record({ kind: fc.constant('tag' as const), tag: tags }),
);
const prefixes = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([address, part]) => ({ address, prefixLength: Math.round((1 - part * part) * address.length * 8) }));
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ kind: fc.constantFrom('anything' as const, 'internet' as const, 'lan' as const, 'gateway' as const) }),
  { arbitrary: fc.record({ kind: fc.constant('prefix' as const), prefix: prefixes }), weight: 3 },
  subject,
);
const protocols = fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const);
const ruleOf = fc.record(
  {
    action: fc.constantFrom('allow' as const, 'deny' as const),
    from: subject,
    to: target,
    protocol: protocols,
    ports: fc.tuple(fc.nat(5), fc.nat(5)).map(([first, more]) => ({ first, last: first + more })),
  },
  { requiredKeys: ['action', 'from', 'to'] },
);
const ruleList: fc.Arbitrary<AccessRule[]> = fc
  .array(ruleOf, { maxLength: 6 })
  .map((list) => list.map((rule, index) => ({ ...rule, id: `${index}` })));

const deviceOf = (id: string, ...addresses: string[]): fc.Arbitrary<PolicyDevice> =>
  fc
    .record({
      tags: fc.uniqueArray(tags, { maxLength: 2 }),
      switches: fc.record({ internet: fc.boolean(), lan: fc.boolean(), devices: fc.boolean() }),
      trouble: fc.constantFrom('none', 'none', 'none', 'none', 'blocked', 'expired', 'later', 'quota'),
    })
    .map(({ trouble, ...fields }) => ({
      ...device({ id, addresses: addresses.map(ip), ...fields }),
      isBlocked: trouble === 'blocked',
      ...(trouble === 'expired' ? { expiresAtUnixMs: NOON_UNIX_MS - 1 } : {}),
      ...(trouble === 'later' ? { expiresAtUnixMs: NOON_UNIX_MS + 1 } : {}),
      limits: trouble === 'quota' ? { quotaBytes: 0 } : {},
    }));
const devices = fc.tuple(deviceOf('a', '10.8.0.2', 'fd08::2'), deviceOf('b', '10.8.0.3', 'fd08::3'));
const flowOf: fc.Arbitrary<Flow> = fc.record({
  device: ids,
  protocol: fc.oneof(protocols, fc.constant('other' as const)),
  destination: fc.constantFrom(...ADDRESSES),
  port: fc.nat(8),
});

describe('Decisions', () => {
  it('are those of a naive list', () => {
    fc.assert(
      fc.property(devices, ruleList, fc.array(flowOf, { minLength: 8, maxLength: 8 }), (known, rules, flows) => {
        const policy = policyOf(known, rules);
        for (const flow of flows)
          assert.equal(sentence(policy.decide(flow, 0)), naiveDecision(worldOf(known, rules), flow));
      }),
      { numRuns: RUNS },
    );
  });

  it('never allow a blocked device what it could not do before', () => {
    fc.assert(
      fc.property(devices, ruleList, flowOf, ([a, b], rules, flow) => {
        const before = policyOf([a, b], rules).decide(flow, 0);
        const after = policyOf([{ ...a, isBlocked: true }, b], rules).decide(flow, 0);
        assert.ok(before.isAllowed || !after.isAllowed);
      }),
      { numRuns: RUNS },
    );
  });

  it('are the same whether the policy was built at once or changed step by step', () => {
    fc.assert(
      fc.property(devices, devices, ruleList, ruleList, flowOf, (first, second, rulesBefore, rules, flow) => {
        const policy = policyOf(first, rulesBefore);
        policy.decide(flow, 0);
        for (const each of second) policy.putDevice(each, 0);
        policy.setRules(rules);
        assert.deepEqual(policy.decide(flow, 0), policyOf(second, rules).decide(flow, 0));
      }),
      { numRuns: RUNS / 3 },
    );
  });
});

function policyOf(known: readonly PolicyDevice[], rules: readonly AccessRule[]) {
  const policy = makePolicy(known);
  policy.setOwnAddresses(OWN.map(ip));
  policy.setRules(rules);
  return policy;
}

function worldOf(known: readonly PolicyDevice[], rules: readonly AccessRule[]): NaiveWorld {
  const gateway = [GATEWAY, GATEWAY6].map(ip);
  return { devices: known, rules, gateway, own: OWN.map(ip), ranges: RANGES, unixMs: NOON_UNIX_MS };
}

function sentence({ isAllowed, reason, rule, switch: name }: Decision): string {
  return [isAllowed ? 'allow' : 'deny', reason, rule ?? name].filter((part) => part !== undefined).join(' ');
}

function range(text: string, kind: NaiveWorld['ranges'][number][2]): NaiveWorld['ranges'][number] {
  const { address, prefixLength } = prefixOf(text);
  return [address, prefixLength, kind];
}
