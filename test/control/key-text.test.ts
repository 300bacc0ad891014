import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatKey, formatShortKey, parseKey } from '../../src/control/key-text.js';

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('key text', () => {
  it('reads what it wrote, and writes it the same again', () => {
    fc.assert(fc.property(keys, (key) => assert.deepEqual(parseKey(formatKey(key), 'key'), key)));
  });

  it('refuses every text that is not exactly a key, and does not repeat it', () => {
    const canonical = formatKey(new Uint8Array(32));
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constant(` ${canonical}`), fc.constant(`${'A'.repeat(42)}B=`), fc.base64String()),
        (text) => {
          fc.pre(Buffer.from(text, 'base64').toString('base64') !== text || text.length !== canonical.length);
          assert.throws(() => parseKey(text, 'a key'), { code: 'ERR_KEY_FORMAT', message: 'a key: not a key' });
        },
      ),
    );
  });

  it('shortens a public key to its first and last four characters', () => {
    const key = parseKey('HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=', 'key');
    assert.equal(formatShortKey(key), 'HIgo…8ykw');
  });
});
