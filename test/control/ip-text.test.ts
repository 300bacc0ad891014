import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatIpPrefix, parseIpPrefix } from '../../src/control/ip-text.js';

const addresses = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);

describe('IP prefixes as text', () => {
  it('reads what it wrote', () => {
    const prefixes = addresses.chain((address) =>
      fc.nat(8 * address.length).map((prefixLength) => ({ address, prefixLength })),
    );
    fc.assert(fc.property(prefixes, (prefix) => assert.deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix)));
  });

  it('read a length with leading zeros, as wg and wireguard-go do', () => {
    assert.deepEqual(parseIpPrefix('10.1.0.0/016'), parseIpPrefix('10.1.0.0/16'));
    assert.deepEqual(parseIpPrefix('::/000'), parseIpPrefix('::/0'));
  });

  for (const text of ['10.0.0.1', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/033', '10.0.0.0/+8', '10.0.0.0/-1'])
    it(`refuses ${text}`, () => assert.equal(parseIpPrefix(text), undefined));

  for (const text of ['10.0.0.0/8/8', '/8', '10.0.0.0/8 ', 'fe80::1%lo/64', '10.0.0.0/255.0.0.0', 'localhost/32'])
    it(`refuses ${text}`, () => assert.equal(parseIpPrefix(text), undefined));

  it('never throws, and writes again what it reads, whatever the text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-f:./%+-]{0,40}$/));
    fc.assert(
      fc.property(text, (said) => {
        const prefix = parseIpPrefix(said);
        if (prefix !== undefined) assert.deepEqual(parseIpPrefix(formatIpPrefix(prefix)), prefix);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps host bits: clearing them is the device’s affair', () => {
    assert.deepEqual(parseIpPrefix('10.1.2.3/8'), { address: Uint8Array.of(10, 1, 2, 3), prefixLength: 8 });
  });
});
