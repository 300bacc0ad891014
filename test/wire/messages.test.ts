import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { MessageType, messageType, NO_MESSAGE } from '../../src/wire/messages.js';

/** Whitepaper §5.4.2, §5.4.3, §5.4.7, §5.4.6: type and length in bytes. */
const EXACT_LENGTHS = [
  [1, 148],
  [2, 92],
  [3, 64],
] as const;

describe('messageType', () => {
  for (const [type, length] of EXACT_LENGTHS) {
    it(`takes a message of type ${type} at ${length} bytes, and at no other length (§5.4)`, () => {
      for (let other = 0; other <= 2_000; other++)
        assert.equal(messageType(message(type, other), 0, other), other === length ? type : NO_MESSAGE, `${other}`);
    });
  }

  it('takes transport data from 32 bytes on (§5.4.6)', () => {
    for (let length = 0; length <= 2_000; length++)
      assert.equal(messageType(message(4, length), 0, length), length >= 32 ? MessageType.TransportData : NO_MESSAGE);
  });

  it('knows no other type (§5.4)', () => {
    for (let type = 0; type < 256; type++)
      for (const length of [32, 64, 92, 148])
        if (type < 1 || type > 4) assert.equal(messageType(message(type, length), 0, length), NO_MESSAGE, `${type}`);
  });

  it('wants the three reserved bytes to be zero (§5.4)', () => {
    for (const [type, length] of [...EXACT_LENGTHS, [4, 32] as const])
      for (const at of [1, 2, 3])
        for (const bit of [0x01, 0x80]) {
          const bytes = message(type, length);
          bytes[at] = bit;
          assert.equal(messageType(bytes, 0, length), NO_MESSAGE, `type ${type}, byte ${at}`);
        }
  });

  it('reads at the offset, and nothing beyond the length', () => {
    const bytes = new Uint8Array(200).fill(0xff);
    bytes.set(message(2, 92), 50);
    assert.equal(messageType(bytes, 50, 92), MessageType.HandshakeResponse);
    assert.equal(messageType(bytes, 49, 92), NO_MESSAGE);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const type = messageType(bytes, 0, bytes.length);
        if (type !== NO_MESSAGE) assert.deepEqual([...bytes.subarray(0, 4)], [type, 0, 0, 0]);
      }),
    );
  });
});

function message(type: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i === 0 ? type : i < 4 ? 0 : 0xaa));
}
