import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { WireGuardError } from '../../../src/core/errors.js';
import { parseRule } from '../../../src/proxy/rules/parse-rule.js';

describe('the text of a rule', () => {
  it('is MATCH WAY, where MATCH is a domain, a CIDR, an address or *, and ports may follow', () => {
    const address = (...bytes: number[]) => Uint8Array.from(bytes);
    const net6 = Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, ...new Array(12).fill(0)]);
    for (const [text, match] of [
      ['*.example.com direct', { domain: 'example.com' }],
      ['Example.COM. direct', { domain: 'example.com' }],
      ['bücher.example direct', { domain: 'xn--bcher-kva.example' }],
      ['db:5432 direct', { domain: 'db', ports: { first: 5432, last: 5432 } }],
      ['10.0.0.0/8 direct', { prefix: { address: address(10, 0, 0, 0), prefixLength: 8 } }],
      [
        '10.1.2.3:22-80 direct',
        { prefix: { address: address(10, 1, 2, 3), prefixLength: 32 }, ports: { first: 22, last: 80 } },
      ],
      ['2001:db8::/32 direct', { prefix: { address: net6, prefixLength: 32 } }],
      ['[2001:db8::/32]:53 direct', { prefix: { address: net6, prefixLength: 32 }, ports: { first: 53, last: 53 } }],
      ['[2001:db8::] direct', { prefix: { address: net6, prefixLength: 128 } }],
      ['* direct', {}],
      ['*:25 direct', { ports: { first: 25, last: 25 } }],
    ] as const)
      assert.deepEqual(parseRule(text).match, match, text);
  });

  it('names direct, block, or a tunnel as the way', () => {
    assert.deepEqual(parseRule('* direct').way, { kind: 'direct' });
    assert.deepEqual(parseRule('* BLOCK').way, { kind: 'block' });
    assert.deepEqual(parseRule(' *   office ').way, { kind: 'tunnel', tunnel: 'office' });
    assert.equal(parseRule(' *   office ').text, '* office');
  });

  it('is refused with the reason where it cannot be read', () => {
    for (const [text, reason] of [
      ['', /MATCH WAY/],
      ['example.com', /MATCH WAY/],
      ['a b c', /MATCH WAY/],
      ['10.0.0.0/33 direct', /not a CIDR/],
      ['10.0.0 direct', /not an IPv4 address/],
      ['a..b direct', /not a domain/],
      ['a.*.b direct', /not a domain/],
      ['host:0 direct', /ports are from 1/],
      ['host:70000 direct', /ports are from 1/],
      ['host:9-8 direct', /lower one first/],
      ['host: direct', /not HOST/],
      ['2001:db8::/32:53 direct', /brackets|not a CIDR/],
      ['[]:53 direct', /not HOST/],
    ] as const)
      assert.throws(() => parseRule(text), { code: 'ERR_VALUE', message: reason }, text);
  });

  it('is read or refused, and never breaks the parser', () => {
    const word = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[a-z0-9*.:[\]/-]{0,30}$/));
    fc.assert(
      fc.property(word, word, (match, way) => {
        try {
          parseRule(`${match} ${way}`);
        } catch (error) {
          assert.ok(error instanceof WireGuardError);
        }
      }),
    );
  });
});
