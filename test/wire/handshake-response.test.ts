import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as response from '../../src/wire/handshake-response.js';

describe('handshake response', () => {
  it('has its fields where §5.4.3 says, and zeros for both MACs', () => {
    const message = response.formatHandshakeResponse(0x0102_0304, 0xf5f6_f7f8, filled(32, 1), filled(16, 2));

    const expected = new Uint8Array(92);
    expected.set([2, 0, 0, 0, 4, 3, 2, 1, 0xf8, 0xf7, 0xf6, 0xf5]);
    expected.fill(1, 12, 44).fill(2, 44, 60);
    assert.deepEqual(message, expected);
  });

  it('gives back what was put in, indices as int32', () => {
    const message = response.formatHandshakeResponse(0x0102_0304, 0xf5f6_f7f8, filled(32, 1), filled(16, 2));

    assert.equal(response.senderIndex(message), 0x0102_0304);
    assert.equal(response.receiverIndex(message), 0xf5f6_f7f8 | 0);
    assert.deepEqual(response.ephemeral(message), filled(32, 1));
    assert.deepEqual(response.encryptedNothing(message), filled(16, 2));
  });
});

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
