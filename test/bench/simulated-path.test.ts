import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cubicRate, goodput } from '../../bench/rootless/simulated-path.js';

const CLEAN = { rateBits: 20e6, roundTripMs: 20, lossRate: 0 };

describe('A simulated path', () => {
  it('carries what it can hold, in both directions, and the same each time', () => {
    for (const direction of ['from', 'to'] as const) {
      const bits = goodput(CLEAN, direction, 3, 1);

      assert.ok(bits > 0.9 * CLEAN.rateBits && bits < CLEAN.rateBits, `${bits} bits a second`);
      assert.equal(goodput(CLEAN, direction, 3, 1), bits);
    }
  });

  it('carries less with losses', () => {
    assert.ok(goodput({ ...CLEAN, lossRate: 0.01 }, 'from', 3, 1) < 0.5 * CLEAN.rateBits);
  });
});

describe("CUBIC's rate", () => {
  it('is a window of Reno per round trip where Reno gets more (RFC 9438 §4.3)', () => {
    // Table 1 of RFC 9438 §5.1: 38 segments at 0.1 % loss and 0.1 s.
    const rate = cubicRate({ rateBits: 1e9, roundTripMs: 100, lossRate: 0.001 });

    assert.equal(Math.floor(rate / (8 * 1_368 * 10)), 38);
  });

  it('is a window of its own where that is greater (RFC 9438 §5.1)', () => {
    // The same table: 187 segments at one loss in ten thousand.
    const rate = cubicRate({ rateBits: 1e9, roundTripMs: 100, lossRate: 0.0001 });

    assert.equal(Math.floor(rate / (8 * 1_368 * 10)), 187);
  });

  it('is never more than the path', () => {
    assert.equal(cubicRate({ rateBits: 1e6, roundTripMs: 10, lossRate: 1e-6 }), 1e6);
  });
});
