import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { isAuthorized } from '../../../src/proxy/http/basic-auth.js';
import { CredentialCheck } from '../../../src/proxy/server/credential-check.js';

const CHECK = new CredentialCheck({ username: 'ann', password: 'se:cret' });

describe('Basic authentication at the proxy (RFC 7617 §2)', () => {
  it('accepts the user name and the password, which may have colons', () => {
    assert.equal(isAuthorized(['Proxy-Authorization', basic('ann:se:cret')], CHECK), true);
    assert.equal(isAuthorized(['proxy-authorization', basic('ann:se:cret').replace('Basic', 'BASIC')], CHECK), true);
  });

  it('refuses everything else: another word, no colon, two fields, another scheme, the field for the origin server', () => {
    for (const fields of [
      [],
      ['Proxy-Authorization', basic('ann:wrong')],
      ['Proxy-Authorization', basic('ann')],
      ['Proxy-Authorization', basic('')],
      ['Proxy-Authorization', 'Basic'],
      ['Proxy-Authorization', 'Basic !!!'],
      ['Proxy-Authorization', basic('ann:se:cret').replace('Basic', 'Bearer')],
      ['Proxy-Authorization', basic('ann:se:cret'), 'Proxy-Authorization', basic('ann:se:cret')],
      ['Authorization', basic('ann:se:cret')],
    ])
      assert.equal(isAuthorized(fields, CHECK), false, fields.join());
  });

  it('lets everybody in where no password is set', () => {
    assert.equal(isAuthorized([], undefined), true);
  });
});

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
