import assert from 'node:assert/strict';
import { isIP, SocketAddress } from 'node:net';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatIpAddress, parseIpAddress } from '../../src/wire/address-text.js';

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Generates addresses with runs of zeros, which random bytes hardly have. */
const sparseIpv6 = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xdb8, 0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff])));
const addresses = fc.oneof(ipv4, ipv6, sparseIpv6);

describe('IP addresses as text', () => {
  it('reads what it wrote', () => {
    fc.assert(fc.property(addresses, (bytes) => assert.deepEqual(parseIpAddress(formatIpAddress(bytes)), bytes)));
  });

  it('writes IPv6 in the canonical form, as the URL standard does (RFC 5952 §4)', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6, sparseIpv6), (bytes) => {
        const text = formatIpAddress(bytes);
        fc.pre(!text.includes('.')); // URLs write mapped addresses differently
        assert.equal(`[${text}]`, new URL(`http://[${text}]`).hostname);
      }),
    );
  });

  for (const [text, hex] of [
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['1::', `0001${'0'.repeat(28)}`],
    ['2001:db8::1:0:0:1', '20010db8000000000001000000000001'],
    ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['::192.0.2.1', '000000000000000000000000c0000201'],
    ['::0.1.2.1', '00000000000000000000000000010201'],
    ['::201', '00000000000000000000000000000201'],
  ] as const) {
    it(`reads and writes ${text}`, () => {
      assert.equal(Buffer.from(parseIpAddress(text)!).toString('hex'), hex);
      assert.equal(formatIpAddress(Buffer.from(hex, 'hex')), text);
    });
  }

  it('writes what the C library writes, by which the system compares and shows', () => {
    fc.assert(
      fc.property(addresses, (bytes) => {
        const family = bytes.length === 4 ? 'ipv4' : 'ipv6';
        const text = formatIpAddress(bytes);
        assert.equal(new SocketAddress({ address: text, family }).address, text);
      }),
    );
  });

  it('understands every form of IPv6 (RFC 4291 §2.2)', () => {
    const forms = ['2001:DB8:0:0:0:0:0:1', '2001:0db8::0001', '2001:db8::0.0.0.1', '2001:db8:0:0:0:0:0.0.0.1'];
    for (const form of forms) assert.equal(formatIpAddress(parseIpAddress(form)!), '2001:db8::1', form);
  });

  it('agrees with the system on what is an address', () => {
    const characters = fc.constantFrom(...'0123456789abcdefg:.:./%- ');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: characters }),
          fc.ipV6(),
          fc.ipV4Extended(),
          fc.ipV4(),
          fc.tuple(fc.ipV6(), fc.nat(40), characters).map(([text, at, c]) => text.slice(0, at) + c + text.slice(at)),
        ),
        (text) => {
          const expected = text.includes('%') ? 0 : isIP(text);
          assert.equal(parseIpAddress(text)?.length, { 0: undefined, 4: 4, 6: 16 }[expected], text);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('refuses octets with leading zeros, which some read as octal (RFC 6943 §3.1.1)', () => {
    for (const text of ['010.0.0.1', '10.0.0.01', '00.0.0.0']) assert.equal(parseIpAddress(text), undefined);
  });
});
