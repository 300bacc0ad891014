import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openChaCha20Poly1305, sealChaCha20Poly1305 } from '../../src/crypto/chacha20-poly1305.js';
import { aeadTests, checkAead } from '../conformance/crypto.js';
import { fromHex, readVectors, toHex } from '../vectors.js';

describe('ChaCha20-Poly1305', () => {
  it('passes Wycheproof', () => {
    for (const test of aeadTests('chacha20_poly1305', 96)) {
      const [key, nonce] = [fromHex(test.key), fromHex(test.iv)];
      checkAead(
        test,
        (plaintext, associatedData) => sealChaCha20Poly1305(key, nonce, plaintext, associatedData),
        (sealed, associatedData) => openChaCha20Poly1305(key, nonce, sealed, associatedData),
      );
    }
  });

  for (const name of ['aead_2_8_2', 'aead_A5'] as const) {
    it(`seals and opens the message of RFC 8439 ${name.replace('aead_', '')}`, () => {
      const vector = readVectors<Record<typeof name, Rfc8439Aead>>('rfc/rfc8439.json')[name];
      const [key, nonce, aad] = [fromHex(vector.key), fromHex(vector.nonce), fromHex(vector.aad)];
      const sealed = fromHex(vector.ciphertext_and_tag);

      assert.deepEqual(sealChaCha20Poly1305(key, nonce, fromHex(vector.plaintext), aad), sealed);
      assert.equal(toHex(openChaCha20Poly1305(key, nonce, sealed, aad)!), vector.plaintext);
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
