import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatBitRate } from '../../../src/cli/demo/bit-rate.js';

describe('rates of the demo', () => {
  for (const [bytes, text] of [
    [0, '0 bit/s'],
    [125, '1.00 kbit/s'],
    [262_144, '2.10 Mbit/s'],
    [124_990_000, '1.00 Gbit/s'],
    [1_562_500_000, '12.5 Gbit/s'],
  ] as const) {
    it(`are in bits: ${bytes} bytes in a second are ${text}`, () => assert.equal(formatBitRate(bytes), text));
  }
});
