import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { normalizeScopedAddress, parseScopedAddress } from '../../src/control/scoped-address.js';
import type { ZoneNames } from '../../src/control/zone-names.js';

const ZONES: ZoneNames = {
  indexOf: (name) => ({ eth0: 7, '9': 8 })[name],
  nameOf: (index) => ({ 7: 'eth0', 8: '9' })[index],
};

describe('addresses with a zone (RFC 4007 §11)', () => {
  for (const [text, expected] of [
    ['10.0.0.1', '10.0.0.1'],
    ['FD00:0::1', 'fd00::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::1%7', 'fe80::1%eth0'],
    ['fe80::1%11', 'fe80::1%11'],
    ['fe80::1%9', 'fe80::1%9'],
    ['fe80::1%0', 'fe80::1'],
    ['ff02::1%eth0', 'ff02::1%eth0'],
    ['fd00::1%7', 'fd00::1%7'],
    ['fd00::1%eth0', undefined],
    ['fe80::1%nope', undefined],
    ['fe80::1%', undefined],
    ['fe80::1%4294967296', undefined],
    ['10.0.0.1%eth0', undefined],
    ['example.net', undefined],
  ] as const) {
    it(`are read and written by name only where they are link-local: ${text}`, () => {
      assert.equal(normalizeScopedAddress(text, ZONES), expected);
    });
  }

  it('have the number of an interface that is called by a number', () => {
    assert.equal(parseScopedAddress('fe80::1%9', ZONES)?.scopeId, 8);
  });

  it('never throw, and are read again as they were written', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[0-9a-f:.]{0,20}%?[eth0-9]{0,10}$/),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(text, (said) => {
        const written = normalizeScopedAddress(said, ZONES);
        if (written !== undefined) assert.equal(normalizeScopedAddress(written, ZONES), written);
      }),
      { numRuns: 2_000 },
    );
  });
});
