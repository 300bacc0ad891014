import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { coveredByMac1, coveredByMac2, mac1, mac2 } from '../../src/wire/handshake-macs.js';

describe('MACs of a handshake message', () => {
  for (const [name, length] of [
    ['initiation', 148],
    ['response', 92],
  ] as const) {
    it(`are the last 32 bytes of a ${name}, each over all bytes before it (§5.4.4)`, () => {
      const message = Uint8Array.from({ length }, (_, i) => i);
      assert.deepEqual(mac1(message), message.slice(length - 32, length - 16));
      assert.deepEqual(mac2(message), message.slice(length - 16));
      assert.deepEqual(coveredByMac1(message), message.slice(0, length - 32));
      assert.deepEqual(coveredByMac2(message), message.slice(0, length - 16));
    });
  }
});
