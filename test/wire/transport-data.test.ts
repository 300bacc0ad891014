import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import * as transportData from '../../src/wire/transport-data.js';

describe('transport data', () => {
  it('has a header of type, receiver index and counter, little-endian (§5.4.6)', () => {
    const bytes = new Uint8Array(24).fill(0xee);
    transportData.writeHeader(bytes, 4, 0x8102_0304, 0xa1a2_a3a4, 0xb1b2_b3b4);

    const header = [4, 0, 0, 0, 4, 3, 2, 0x81, 0xb4, 0xb3, 0xb2, 0xb1, 0xa4, 0xa3, 0xa2, 0xa1];
    assert.deepEqual([...bytes], [0xee, 0xee, 0xee, 0xee, ...header, 0xee, 0xee, 0xee, 0xee]);
  });

  it('carries indices and counters exactly, up to 2^64 (§5.4.6)', () => {
    const bytes = new Uint8Array(40);
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.nat({ max: 24 }), word, word, word, (at, index, high, low) => {
        transportData.writeHeader(bytes, at, index, high, low);
        assert.equal(transportData.receiverIndex(bytes, at), index | 0);
        assert.equal(transportData.counterHigh(bytes, at), high | 0);
        assert.equal(transportData.counterLow(bytes, at), low | 0);
        const view = new DataView(bytes.buffer, at);
        assert.equal(view.getBigUint64(8, true), (BigInt(high) << 32n) | BigInt(low));
      }),
    );
  });

  it('is recognised by its type, its reserved zeros, and at least 32 bytes', () => {
    const bytes = new Uint8Array(48);
    transportData.writeHeader(bytes, 8, 0, 0, 0);
    assert.equal(transportData.isTransportData(bytes, 8, 32), true);
    assert.equal(transportData.isTransportData(bytes, 8, 31), false);
    for (let at = 8; at < 12; at++) {
      bytes[at] ^= 0x80;
      assert.equal(transportData.isTransportData(bytes, 8, 40), false, `byte ${at - 8}`);
      bytes[at] ^= 0x80;
    }
  });
});
