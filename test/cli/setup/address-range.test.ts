import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { nextAddress, overlaps } from '../../../src/cli/setup/address-range.js';
import { formatIpAddress, formatIpPrefix, networkOf, parseIpPrefix } from '../../../src/control/ip-text.js';

describe('address ranges', () => {
  for (const [subnet, taken, expected] of [
    ['10.0.0.1/24', ['10.0.0.1/32'], '10.0.0.2'],
    ['10.0.0.1/24', ['10.0.0.1/32', '10.0.0.3/32'], '10.0.0.2'],
    ['10.0.0.1/24', ['10.0.0.3/32', '10.0.0.2/32', '10.0.0.1/32'], '10.0.0.4'],
    ['10.0.0.1/24', ['10.0.0.0/25'], '10.0.0.128'],
    ['10.0.0.1/24', ['0.0.0.0/0', '10.0.0.0/24', '10.0.0.0/8'], '10.0.0.1'],
    ['10.0.0.1/30', ['10.0.0.1/32'], '10.0.0.2'],
    ['10.0.0.1/30', ['10.0.0.1/32', '10.0.0.2/32'], undefined],
    ['10.0.0.0/31', ['10.0.0.0/32'], '10.0.0.1'],
    ['10.0.0.0/31', ['10.0.0.0/31', '10.0.0.0/32', '10.0.0.1/32'], undefined],
    ['255.255.255.0/24', [], '255.255.255.1'],
    ['fd00::1/64', ['fd00::1/128'], 'fd00::2'],
    ['fd00::1/64', ['fd00::/65'], 'fd00::8000:0:0:0'],
    ['fd00::1/64', ['10.0.0.1/32'], 'fd00::1'],
    [
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127',
      ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/128'],
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
  ] as const) {
    it(`finds ${expected ?? 'nothing'} in ${subnet} beside ${taken.join(', ')}`, () => {
      const found = nextAddress(
        parseIpPrefix(subnet)!,
        taken.map((text) => parseIpPrefix(text)!),
      );
      assert.equal(found === undefined ? undefined : formatIpAddress(found), expected);
    });
  }

  it('finds the same address as a search of all of them', () => {
    const host = fc.integer({ min: 0, max: 63 });
    const ranges = fc.array(fc.tuple(host, fc.integer({ min: 27, max: 32 })), { maxLength: 40 });
    fc.assert(
      fc.property(ranges, (taken) => {
        const subnet = parseIpPrefix('10.0.0.0/26')!;
        const prefixes = taken.map(([last, length]) => parseIpPrefix(`10.0.0.${last}/${length}`)!);

        const found = nextAddress(subnet, prefixes);

        const all = Array.from({ length: 62 }, (_, i) => parseIpPrefix(`10.0.0.${i + 1}/32`)!);
        const free = all.find((address) => !prefixes.some((prefix) => overlaps(prefix, address)));
        assert.deepEqual(found, free?.address);
      }),
      { numRuns: 500 },
    );
  });

  it('writes a range by its first address', () => {
    assert.equal(formatIpPrefix(networkOf(parseIpPrefix('10.1.2.3/20')!)), '10.1.0.0/20');
    assert.equal(formatIpPrefix(networkOf(parseIpPrefix('fd00::1:2/112')!)), 'fd00::1:0/112');
  });

  it('does not compare IPv4 with IPv6', () => {
    assert.equal(overlaps(parseIpPrefix('0.0.0.0/0')!, parseIpPrefix('::/0')!), false);
  });
});
