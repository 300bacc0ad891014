import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { aeadTests, checkAead } from '../conformance/crypto.js';
import { open, seal } from '../returning-crypto.js';
import { fromHex, readVectors, toHex } from '../vectors.js';

describe('ChaCha20-Poly1305', () => {
  it('passes Wycheproof', () => {
    for (const test of aeadTests('chacha20_poly1305', 96)) {
      const [key, nonce] = [fromHex(test.key), fromHex(test.iv)];
      checkAead(
        test,
        (plaintext, associatedData) => seal({ key, nonce, associatedData }, plaintext),
        (sealed, associatedData) => open({ key, nonce, associatedData }, sealed),
      );
    }
  });

  for (const name of ['aead_2_8_2', 'aead_A5'] as const) {
    it(`seals and opens the message of RFC 8439 ${name.replace('aead_', '')}`, () => {
      const vector = readVectors<Record<typeof name, Rfc8439Aead>>('rfc/rfc8439.json')[name];
      const [key, nonce, associatedData] = [fromHex(vector.key), fromHex(vector.nonce), fromHex(vector.aad)];
      const sealed = fromHex(vector.ciphertext_and_tag);

      assert.deepEqual(seal({ key, nonce, associatedData }, fromHex(vector.plaintext)), sealed);
      assert.equal(toHex(open({ key, nonce, associatedData }, sealed)!), vector.plaintext);
    });
  }
});

interface Rfc8439Aead {
  readonly key: string;
  readonly nonce: string;
  readonly aad: string;
  readonly plaintext: string;
  readonly ciphertext_and_tag: string;
}
