import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { parseAbsoluteTarget, parseConnectTarget } from '../../../src/proxy/http/request-target.js';

describe('the target of a request to a proxy', () => {
  it('is an http URL, whose path goes to the origin server (RFC 9112 §3.2.1, §3.2.2, §3.2.4)', () => {
    for (const [url, method, host, port, authority, path] of [
      ['http://a.test/x?y', 'GET', 'a.test', 80, 'a.test', '/x?y'],
      ['HTTP://a.test:8080', 'GET', 'a.test', 8080, 'a.test:8080', '/'],
      ['http://a.test:/', 'GET', 'a.test', 80, 'a.test:', '/'],
      ['http://[2001:db8::1]:81/../a', 'GET', '2001:db8::1', 81, '[2001:db8::1]:81', '/../a'],
      ['http://a.test?q', 'GET', 'a.test', 80, 'a.test', '/?q'],
      ['http://a.test', 'OPTIONS', 'a.test', 80, 'a.test', '*'],
      ['http://a.test/', 'OPTIONS', 'a.test', 80, 'a.test', '/'],
    ] as const)
      assert.deepEqual(parseAbsoluteTarget(url, method), { destination: { host, port }, authority, path }, url);
  });

  it('gets a sentence where it cannot be served; user information is an error (RFC 9110 §4.2.4)', () => {
    for (const [url, sentence] of [
      ['/', /This is an HTTP proxy/],
      ['*', /This is an HTTP proxy/],
      ['https://a.test/', /CONNECT/],
      ['ftp://a.test/', /CONNECT/],
      ['a.test:80', /neither/],
      ['http:///x', /HOST/],
      ['http://user:word@a.test/', /HOST/],
      ['http://a.test:0/', /HOST/],
      ['http://a.test:65536/', /HOST/],
      ['http://a\\b.test/', /HOST/],
    ] as const) {
      const target = parseAbsoluteTarget(url, 'GET');
      assert.match('problem' in target ? target.problem : 'no problem', sentence, url);
    }
  });

  it('is HOST:PORT for CONNECT (RFC 9110 §9.3.6)', () => {
    assert.deepEqual(parseConnectTarget('a.test:443'), { host: 'a.test', port: 443 });
    assert.deepEqual(parseConnectTarget('[::1]:443'), { host: '::1', port: 443 });
    for (const target of ['a.test', 'a.test:', ':443', '::1:443', 'a.test:443/', 'a@b:443', 'a.test:99999', ''])
      assert.equal(parseConnectTarget(target), undefined, target);
  });

  it('may be any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl()), (text) => {
        const target = parseAbsoluteTarget(text, 'GET');
        if ('path' in target) assert.match(target.path, /^[/*]/);
        parseConnectTarget(text);
      }),
    );
  });
});
