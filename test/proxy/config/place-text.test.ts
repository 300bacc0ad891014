import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  isLocalPlace,
  parseDestination,
  parseListenAddress,
  parseTarget,
} from '../../../src/proxy/config/place-text.js';
import { formatListenAddress } from '../../../src/proxy/server/listen-on.js';

describe('a place to listen', () => {
  for (const [text, place] of [
    ['1080', '127.0.0.1:1080'],
    ['localhost:1080', '127.0.0.1:1080'],
    [':1080', '0.0.0.0:1080'],
    ['*:0', '0.0.0.0:0'],
    ['[::1]:1080', '[::1]:1080'],
    ['host.example:1', 'host.example:1'],
    ['/run/x.sock', '/run/x.sock'],
    ['unix:x.sock', 'x.sock'],
  ] as const)
    it(`is ${place} in ${text}`, () => {
      assert.equal(formatListenAddress(parseListenAddress(text)), place);
    });

  for (const text of ['', 'a', '65536', '::1:80', '[1.2.3.4]:80', 'a b:80', 'http://x:80', '[::1]', '-1'])
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseListenAddress(text), { code: 'ERR_VALUE' });
    });

  it('is local on loopback and with a path, and not on any other address or name', () => {
    const isLocal = (text: string): boolean => isLocalPlace(parseListenAddress(text));
    for (const text of ['1', '127.8.8.8:1', '[::1]:1', '/x', 'localhost:1']) assert.ok(isLocal(text), text);
    for (const text of [':1', '10.0.0.1:1', '[::]:1', '127.example:1']) assert.ok(!isLocal(text), text);
  });
});

describe('a place to connect to', () => {
  it('has a host and a port', () => {
    assert.deepEqual(parseDestination('db.internal:5432'), { host: 'db.internal', port: 5432 });
    assert.deepEqual(parseDestination('[fd00::1]:1'), { host: 'fd00::1', port: 1 });
    assert.deepEqual(parseTarget('/run/x'), { path: '/run/x' });
  });

  for (const text of ['5432', ':5432', 'db', 'db:0', 'db:65536', 'fd00::1:80'])
    it(`is not ${text}`, () => {
      assert.throws(() => parseDestination(text), { code: 'ERR_VALUE' });
    });
});
