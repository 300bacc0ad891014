import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as initiation from '../../src/wire/handshake-initiation.js';

describe('handshake initiation', () => {
  it('has its fields where §5.4.2 says, and zeros for both MACs', () => {
    const message = initiation.formatHandshakeInitiation(0x8102_0304 | 0, filled(32, 1), filled(48, 2), filled(28, 3));

    const expected = new Uint8Array(148);
    expected.set([1, 0, 0, 0, 0x04, 0x03, 0x02, 0x81]);
    expected.fill(1, 8, 40).fill(2, 40, 88).fill(3, 88, 116);
    assert.deepEqual(message, expected);
  });

  it('gives back what was put in, the index as int32', () => {
    const message = initiation.formatHandshakeInitiation(0x8102_0304, filled(32, 1), filled(48, 2), filled(28, 3));

    assert.equal(initiation.senderIndex(message), 0x8102_0304 | 0);
    assert.deepEqual(initiation.ephemeral(message), filled(32, 1));
    assert.deepEqual(initiation.encryptedStatic(message), filled(48, 2));
    assert.deepEqual(initiation.encryptedTimestamp(message), filled(28, 3));
  });
});

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}
