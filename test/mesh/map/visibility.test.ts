/** Which nodes know each other: by the rules, in a crowd as among few. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import type { GatewayDevice } from '../../../src/gateway/gateway-model.js';
import { Visibility } from '../../../src/mesh/map/visibility.js';
import type { AccessRule, Subject, Target } from '../../../src/policy/access.js';

const TIMEOUT = { timeout: 60_000 };
const CROWD = 1_000;
const TAGS = ['web', 'db'];

describe('Visibility', TIMEOUT, () => {
  it('is that of the rules, read one by one for each pair', () => {
    fc.assert(
      fc.property(fc.array(rules(), { maxLength: 6 }), fc.array(devices(), { maxLength: 8 }), (some, made) => {
        const all = made.map((device, number) => ({ ...device, id: `node-${number}` }));
        const visibility = open(all, some);
        for (const a of all)
          for (const b of all) assert.equal(visibility.sees(a.id, b.id), mayBegin(some, a, b) || mayBegin(some, b, a));
      }),
    );
  });

  it('follows a node that changes, and rules that do', () => {
    const map = new Map([node('a', ['web']), node('b', ['web'])].map((each) => [each.id, each]));
    const visibility = new Visibility(map);
    const within = group('web');
    visibility.changed([within, nothingElse]);
    assert.equal(visibility.sees('a', 'b'), true);
    map.set('b', node('b', ['db']));
    visibility.changed([within, nothingElse]);
    assert.deepEqual([visibility.sees('a', 'b'), visibility.neighbours('a')], [false, []]);
    visibility.changed([]);
    assert.deepEqual([visibility.sees('a', 'b'), visibility.rulesOf('a')], [true, []]);
    map.delete('b');
    visibility.changed([]);
    assert.equal(visibility.sees('a', 'b'), false);
  });

  it('of a crowd in groups of ten asks the rules once for each two groups', () => {
    const groups = Array.from({ length: CROWD / 10 }, (_, number) => `g${number}`);
    let asked = 0;
    const counted = groups.map((tag) => {
      const get = (): string => {
        asked++;
        return 'allow';
      };
      return Object.defineProperty({ ...group(tag) }, 'action', { get });
    });
    const all = Array.from({ length: CROWD }, (_, number) => node(`node-${number}`, [groups[number % groups.length]!]));

    const visibility = open(all, [...counted, nothingElse]);

    assert.deepEqual(visibility.neighbours('node-7').length, 9);
    for (const { id } of all) assert.equal(visibility.neighbours(id).length, 9);
    assert.equal(asked, groups.length, 'only members of one group meet a rule, and each group once');
  });
});

const nothingElse: AccessRule = { id: 'end', action: 'deny', from: { kind: 'everyone' }, to: { kind: 'everyone' } };

function group(tag: string): AccessRule {
  return { id: tag, action: 'allow', from: { kind: 'tag', tag }, to: { kind: 'tag', tag } };
}

function open(all: readonly GatewayDevice[], some: readonly AccessRule[]): Visibility {
  const visibility = new Visibility(new Map(all.map((device) => [device.id, device])));
  visibility.changed(some);
  return visibility;
}

function node(id: string, tags: readonly string[], hasDevices = true): GatewayDevice {
  const switches = { devices: hasDevices, internet: true, lan: true };
  return { id, tags, switches, addresses: ['10.0.0.2'] } as unknown as GatewayDevice;
}

function devices(): fc.Arbitrary<GatewayDevice> {
  return fc.tuple(fc.subarray(TAGS), fc.boolean()).map(([tags, hasDevices]) => node('', tags, hasDevices));
}

function rules(): fc.Arbitrary<AccessRule> {
  const subject: fc.Arbitrary<Subject> = fc.oneof(
    fc.constant({ kind: 'everyone' as const }),
    fc.constantFrom(...TAGS).map((tag) => ({ kind: 'tag' as const, tag })),
    fc.constantFrom('node-0', 'node-1').map((device) => ({ kind: 'device' as const, device })),
  );
  return fc
    .record({
      id: fc.constant('rule'),
      action: fc.constantFrom('allow' as const, 'deny' as const),
      from: subject,
      to: subject,
      isForPort: fc.boolean(),
    })
    .map(({ isForPort, ...rule }) => (isForPort ? { ...rule, ports: { first: 80, last: 80 } } : rule));
}

/** The rules as they are written: the first that matches decides; one for a port decides for that port alone. */
function mayBegin(some: readonly AccessRule[], from: GatewayDevice, to: GatewayDevice): boolean {
  const first = some.find(
    (rule) => isMeant(rule.from, from) && isMeant(rule.to, to) && (rule.action === 'allow' || rule.ports === undefined),
  );
  return first === undefined ? from.switches.devices : first.action === 'allow';
}

function isMeant(subject: Subject | Target, { id, tags }: GatewayDevice): boolean {
  if (subject.kind === 'tag') return tags.includes(subject.tag);
  return subject.kind === 'device' ? subject.device === id : true;
}
