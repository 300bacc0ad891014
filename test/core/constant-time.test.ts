import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { equalInConstantTime, isZeroInConstantTime } from '../../src/core/constant-time.js';

describe('comparisons in constant time', () => {
  it('see a difference in every bit of every byte', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7);
    assert.equal(equalInConstantTime(bytes, bytes.slice()), true);
    for (let at = 0; at < 32; at++)
      for (let bit = 1; bit < 256; bit *= 2) {
        const other = bytes.slice();
        other[at] ^= bit;
        assert.equal(equalInConstantTime(bytes, other), false);
        assert.equal(isZeroInConstantTime(bytes.map((byte, i) => byte ^ other[i])), false);
      }
  });

  it('never call different lengths equal', () => {
    assert.equal(equalInConstantTime(new Uint8Array(16), new Uint8Array(15)), false);
    assert.equal(equalInConstantTime(new Uint8Array(0), new Uint8Array(1)), false);
  });

  it('call zeros zero, and nothing too', () => {
    assert.equal(isZeroInConstantTime(new Uint8Array(32)), true);
    assert.equal(isZeroInConstantTime(new Uint8Array(0)), true);
  });
});
