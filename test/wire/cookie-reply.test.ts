import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as cookieReply from '../../src/wire/cookie-reply.js';

describe('cookie reply', () => {
  const nonce = new Uint8Array(24).fill(1);
  const encryptedCookie = new Uint8Array(32).fill(2);

  it('has its fields where §5.4.7 says', () => {
    const expected = new Uint8Array(64).fill(1, 8, 32).fill(2, 32);
    expected.set([3, 0, 0, 0, 0xd4, 0xc3, 0xb2, 0xa1]);
    assert.deepEqual(cookieReply.formatCookieReply(0xa1b2_c3d4, nonce, encryptedCookie), expected);
  });

  it('gives back what was put in, the index as int32', () => {
    const message = cookieReply.formatCookieReply(0xa1b2_c3d4, nonce, encryptedCookie);
    assert.equal(cookieReply.receiverIndex(message), 0xa1b2_c3d4 | 0);
    assert.deepEqual(cookieReply.nonce(message), nonce);
    assert.deepEqual(cookieReply.encryptedCookie(message), encryptedCookie);
  });
});
