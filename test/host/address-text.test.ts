import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { addressBytes, addressText } from '../../src/host/address-text.js';
import { Endpoint } from '../../src/wire/endpoint.js';

describe('addresses as Node writes them', () => {
  it('reads IPv4 and every form of IPv6, zones apart', () => {
    for (const [text, hex] of [
      ['127.0.0.1', '7f000001'],
      ['255.254.0.9', 'fffe0009'],
      ['::', '00000000000000000000000000000000'],
      ['::1', '00000000000000000000000000000001'],
      ['fe80::', 'fe800000000000000000000000000000'],
      ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
      ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
      ['::ffff:192.0.2.128', '00000000000000000000ffffc0000280'],
    ] as const)
      assert.equal(Buffer.from(addressBytes(text)).toString('hex'), hex, text);
  });

  it('reads back what it writes, for every address', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(address, (bytes) => {
        const text = addressText(Endpoint.from(bytes, 1));
        assert.ok(bytes.length === 4 || isIPv6(text), text);
        assert.deepEqual(addressBytes(text), Uint8Array.from(bytes));
      }),
    );
  });
});
