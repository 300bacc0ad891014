import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { maskHostBits } from '../../../src/cli/quick/mask-host-bits.js';
import { planRoutes } from '../../../src/cli/quick/network-setup.js';
import { formatIpPrefix, parseIpPrefix } from '../../../src/control/ip-text.js';
import { formatPrefix } from '../../../src/host/net/prefix.js';

describe('planRoutes', () => {
  const allowedIps = ['10.0.0.5/8', '0.0.0.0/0', '10.1.0.0/16', '::/0', '10.1.0.0/16'].map(
    (text) => parseIpPrefix(text)!,
  );

  it('diverts default routes, and makes plain routes of the rest, once each and most specific first', () => {
    const { plain, diverted, table } = planRoutes(undefined, allowedIps);

    assert.deepEqual(plain.map(formatPrefix), ['10.1.0.0/16', '10.0.0.0/8']);
    assert.deepEqual(diverted.map(formatPrefix), ['::/0', '0.0.0.0/0']);
    assert.equal(table, undefined);
  });

  it('puts all of them into a table of the user, without tricks', () => {
    const { plain, diverted, table } = planRoutes('1234', allowedIps);

    assert.deepEqual(plain.map(formatPrefix), ['10.1.0.0/16', '10.0.0.0/8', '::/0', '0.0.0.0/0']);
    assert.deepEqual([diverted, table], [[], '1234']);
  });

  it('makes none where the table is off', () => {
    assert.deepEqual(planRoutes('off', allowedIps), { plain: [], diverted: [], table: undefined });
  });
});

describe('maskHostBits', () => {
  it('clears what is behind the length, and keeps the rest', () => {
    assert.equal(formatIpPrefix(maskHostBits(parseIpPrefix('10.255.255.255/9')!)), '10.128.0.0/9');
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 128 }), (address, prefixLength) => {
        const bits = (data: Uint8Array) => [...data].map((byte) => byte.toString(2).padStart(8, '0')).join('');

        const masked = maskHostBits({ address, prefixLength });

        assert.equal(bits(masked.address), bits(address).slice(0, prefixLength).padEnd(128, '0'));
      }),
    );
  });
});
