import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressWords } from '../../src/netstack/address.js';
import { AddressCache } from '../../src/netstack/address-cache.js';
import { SeededRandom } from '../../src/sim/seeded-random.js';

const SEED = 20_261_126;

describe('The cache of addresses', () => {
  it('returns one array for equal addresses, and keeps no array of the caller', () => {
    const cache = new AddressCache();
    const first = addressWords(Uint8Array.of(10, 0, 0, 1));

    const shared = cache.shared(first);
    first[3] = 0;

    assert.equal(cache.shared(addressWords(Uint8Array.of(10, 0, 0, 1))), shared);
    assert.deepEqual(shared, addressWords(Uint8Array.of(10, 0, 0, 1)));
  });

  it('returns the address that was asked for, however many there are', () => {
    const cache = new AddressCache();
    const random = new SeededRandom(SEED);

    for (let i = 0; i < 2_000; i++) {
      const words = addressWords(random.bytes(i % 2 === 0 ? 4 : 16));
      assert.deepEqual(cache.shared(words), words, `seed ${SEED}`);
    }
  });
});
