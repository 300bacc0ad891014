import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { KEY_HEX_BYTES, readHexKey, writeHexKey } from '../../src/control/key-hex.js';

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('hexadecimal keys', () => {
  it('reads digits of either case', () => {
    fc.assert(
      fc.property(keys, fc.boolean(), (key, isUpperCase) => {
        const hex = Buffer.from(key).toString('hex');
        const text = Buffer.from(`x${isUpperCase ? hex.toUpperCase() : hex}y`, 'latin1');
        assert.deepEqual(readHexKey(text, 1, 1 + KEY_HEX_BYTES), key);
      }),
    );
  });

  it('writes lower-case digits', () => {
    fc.assert(
      fc.property(keys, (key) => {
        const out = Buffer.alloc(KEY_HEX_BYTES + 2);
        assert.equal(writeHexKey(key, out, 1), 1 + KEY_HEX_BYTES);
        assert.equal(out.toString('latin1'), `\0${Buffer.from(key).toString('hex')}\0`);
      }),
    );
  });

  it('refuses any byte that is not a digit, at any place', () => {
    fc.assert(
      fc.property(keys, fc.nat(KEY_HEX_BYTES - 1), fc.integer({ min: 0, max: 255 }), (key, place, byte) => {
        fc.pre(!/[0-9a-fA-F]/.test(String.fromCharCode(byte)));
        const text = Buffer.from(Buffer.from(key).toString('hex'), 'latin1');
        text[place] = byte;
        assert.equal(readHexKey(text, 0, text.length), undefined);
      }),
    );
  });

  it('refuses every other length', () => {
    for (const length of [0, 1, 62, 63, 65, 66, 128])
      assert.equal(readHexKey(Buffer.alloc(length, '0'), 0, length), undefined);
  });
});
