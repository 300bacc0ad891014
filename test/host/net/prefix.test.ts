import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { coverTest, formatPrefix, parsePrefix } from '../../../src/host/net/prefix.js';

describe('parsePrefix', () => {
  it('reads what ip prints, in one canonical form', () => {
    for (const [text, canonical] of [
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['10.0.0.1', '10.0.0.1/32'],
      ['FD00:0:0::1/64', 'fd00::1/64'],
      ['::', '::/128'],
      ['::ffff:1.2.3.4/96', '::ffff:1.2.3.4/96'],
    ]) {
      assert.equal(formatPrefix(parsePrefix(text!)!), canonical);
    }
    assert.deepEqual(parsePrefix('default', 6), { family: 6, address: '::', length: 0 });
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      '10.0.0.0/33',
      '::/129',
      '1.2.3',
      'fe80::1%eth0',
      '10.0.0.0/8 dev x',
      'a',
      '-1.2.3.4',
      '/8',
    ]) {
      assert.equal(parsePrefix(text), undefined, text);
    }
    fc.assert(
      fc.property(fc.string(), (text) => parsePrefix(text) === undefined || /^[0-9a-fA-F.:/]+|default$/.test(text)),
    );
  });
});

describe('coverTest', () => {
  it('agrees with a comparison bit by bit', () => {
    const bits = fc.array(fc.constantFrom('0', '1'), { minLength: 32, maxLength: 32 }).map((all) => all.join(''));
    const length = fc.integer({ min: 0, max: 32 });
    fc.assert(
      fc.property(bits, length, bits, length, fc.boolean(), (outer, outerLength, other, innerLength, isNear) => {
        const inner = isNear ? outer.slice(0, outerLength) + other.slice(outerLength) : other;
        const expected = innerLength >= outerLength && inner.slice(0, outerLength) === outer.slice(0, outerLength);

        assert.equal(coverTest(ipv4(outer, outerLength))(ipv4(inner, innerLength)), expected);
      }),
    );
  });

  it('keeps the families apart', () => {
    assert.ok(!coverTest(parsePrefix('::/0')!)(parsePrefix('10.0.0.0/8')!));
    assert.ok(!coverTest(parsePrefix('0.0.0.0/0')!)(parsePrefix('fd00::/64')!));
    assert.ok(
      coverTest(parsePrefix('fd00::5/64')!)(parsePrefix('fd00::7/128')!),
      'host bits of the range do not count',
    );
  });
});

function ipv4(bits: string, length: number) {
  const octets = [0, 8, 16, 24].map((at) => Number.parseInt(bits.slice(at, at + 8), 2));
  return parsePrefix(`${octets.join('.')}/${length}`)!;
}
