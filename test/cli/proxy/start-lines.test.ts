import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { forwardLine, listenerLines } from '../../../src/cli/proxy/start-lines.js';
import { parseForward } from '../../../src/proxy/config/forward-text.js';

const AT = { host: '127.0.0.1', port: 1080 };

describe('the first lines of wiretype proxy', () => {
  it('say where each listener is, with a line to try that has no password', () => {
    const credentials = { username: 'a b', password: 'secret' };
    const certificate = { certFile: '', keyFile: '' };
    const lines = [
      ...listenerLines({ protocol: 'any', at: AT }, AT),
      ...listenerLines({ protocol: 'http', at: AT, certificate, credentials }, { host: '0.0.0.0', port: 8 }),
      ...listenerLines({ protocol: 'socks5', at: { path: '/run/x' } }, { path: '/run/x' }),
    ];

    assert.deepEqual(lines, [
      'SOCKS5 and HTTP proxy on 127.0.0.1:1080',
      '    curl -x socks5h://127.0.0.1:1080 http://HOST/',
      'HTTPS proxy on 0.0.0.0:8, for a b with a password',
      '    curl -x https://a%20b:PASSWORD@127.0.0.1:8 http://HOST/',
      'SOCKS5 proxy on /run/x',
    ]);
  });

  for (const [direction, text, line] of [
    ['local', '0:db:5432', 'TCP 127.0.0.1:4000 leads to db:5432'],
    ['local', '/run/x:[fd00::1]:1', 'TCP /run/x leads to [fd00::1]:1'],
    ['local', '0:a:53/udp', 'UDP 127.0.0.1:4000 leads to a:53'],
    ['remote', '0:/run/y', 'TCP port 4000 inside of the tunnel leads to /run/y'],
    ['remote', '[fd00::2]:0:h:1', 'TCP [fd00::2]:4000 inside of the tunnel leads to h:1'],
  ] as const)
    it(`say: ${line}`, () => {
      assert.equal(forwardLine(parseForward(direction, text), 4000), line);
    });
});
