import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { compareTai64n, TAI64N_BYTES, writeTai64n } from '../../src/wire/tai64n.js';
import { toHex } from '../vectors.js';

describe('TAI64N', () => {
  it('starts 1970 at the label 2^62 + 10, in big-endian order (§5.4.2)', () => {
    assert.equal(toHex(stamp(0, 0)), '400000000000000a00000000');
    assert.equal(toHex(stamp(1, 999_999_999)), '400000000000000b3b9ac9ff');
  });

  it('goes on beyond 32 bits of seconds', () => {
    assert.equal(toHex(stamp(2 ** 32 - 10, 0)), '400000010000000000000000');
    assert.equal(toHex(stamp(2 ** 32 - 11, 5)), '40000000ffffffff00000005');
  });

  it('takes a clock before 1970 for 1970', () => {
    assert.deepEqual(stamp(-5, 0), stamp(0, 0));
  });

  it('writes 12 bytes at the offset', () => {
    const bytes = new Uint8Array(20).fill(0xee);
    writeTai64n(bytes, 4, 0, 0);
    assert.equal(toHex(bytes), 'eeeeeeee400000000000000a00000000eeeeeeee');
  });

  it('sorts as the times do', () => {
    const time = fc.tuple(fc.nat({ max: 2 ** 34 }), fc.nat({ max: 999_999_999 }));
    fc.assert(
      fc.property(time, time, ([seconds, nanoseconds], [otherSeconds, otherNanoseconds]) => {
        const expected = Math.sign(seconds - otherSeconds || nanoseconds - otherNanoseconds);
        const [a, b] = [stamp(seconds, nanoseconds), stamp(otherSeconds, otherNanoseconds)];
        assert.equal(Math.sign(compareTai64n(a, 0, b, 0)), expected);
        assert.equal(Math.sign(Buffer.compare(a, b)), expected);
      }),
    );
  });

  it('compares stamps wherever they are', () => {
    const bytes = new Uint8Array(40);
    writeTai64n(bytes, 3, 7, 1);
    writeTai64n(bytes, 20, 7, 2);
    assert.ok(compareTai64n(bytes, 3, bytes, 20) < 0);
    assert.ok(compareTai64n(bytes, 20, bytes, 3) > 0);
    assert.equal(compareTai64n(bytes, 3, stamp(7, 1), 0), 0);
  });
});

function stamp(seconds: number, nanoseconds: number): Uint8Array {
  const bytes = new Uint8Array(TAI64N_BYTES);
  writeTai64n(bytes, 0, seconds, nanoseconds);
  return bytes;
}
