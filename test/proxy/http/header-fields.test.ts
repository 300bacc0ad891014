import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { endToEndFields, framingOf, requestFields } from '../../../src/proxy/http/header-fields.js';

describe('the header fields of a forwarded message', () => {
  it('are without those of the connection, and without those that Connection names (RFC 9110 §7.6.1)', () => {
    const fields = [
      ['Connection', 'close, X-Hop'],
      ['connection', 'x-other'],
      ['X-Hop', '1'],
      ['X-Other', '1'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Connection', 'keep-alive'],
      ['Transfer-Encoding', 'chunked'],
      ['TE', 'trailers'],
      ['Trailer', 'X-Sum'],
      ['Upgrade', 'h2c'],
      ['Accept', '*/*'],
      ['accept', 'text/html'],
    ].flat();
    assert.deepEqual(endToEndFields(fields), ['Accept', '*/*', 'accept', 'text/html']);
  });

  it('never carry the password of the proxy on (RFC 9110 §11.7.2)', () => {
    assert.deepEqual(endToEndFields(['Proxy-Authorization', 'Basic x', 'Proxy-Authenticate', 'Basic']), []);
  });

  it('keep fields of the message that Connection must not name', () => {
    const fields = ['Connection', 'Content-Length, Authorization', 'Content-Length', '3', 'Authorization', 'x'];
    assert.deepEqual(endToEndFields(fields), fields.slice(2));
  });

  it('name the host of the target, whatever the client wrote (RFC 9112 §3.2.2)', () => {
    const fields = ['Host', 'other.test', 'A', 'b', 'host', 'third.test'];
    assert.deepEqual(requestFields(fields, 'a.test:81'), ['Host', 'a.test:81', 'A', 'b']);
  });

  it('say how long the body is; a coding other than chunked alone is unknown (RFC 9112 §6.1)', () => {
    assert.equal(framingOf(['A', 'b']), 'none');
    assert.equal(framingOf(['content-length', '5']), 'length');
    assert.equal(framingOf(['Transfer-Encoding', ' Chunked ']), 'chunked');
    for (const coding of ['gzip, chunked', 'identity', 'chunked, chunked', ''])
      assert.equal(framingOf(['Transfer-Encoding', coding]), 'unknown-coding', coding);
    assert.equal(framingOf(['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']), 'unknown-coding');
  });
});
