import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseForward } from '../../../src/proxy/config/forward-text.js';

const HERE = '127.0.0.1';

describe('a forward is written as ssh(1) has it', () => {
  for (const [direction, text, from, to] of [
    ['local', '80:db:5432', { host: HERE, port: 80 }, { host: 'db', port: 5432 }],
    ['local', 'localhost:80:db:5432', { host: HERE, port: 80 }, { host: 'db', port: 5432 }],
    ['local', ':80:db:5432', { host: '0.0.0.0', port: 80 }, { host: 'db', port: 5432 }],
    ['local', '*:80:db:5432', { host: '0.0.0.0', port: 80 }, { host: 'db', port: 5432 }],
    ['local', '[::1]:80:[fd00::1]:5432', { host: '::1', port: 80 }, { host: 'fd00::1', port: 5432 }],
    ['local', '/run/a:b.sock:db:5432', { path: '/run/a:b.sock' }, { host: 'db', port: 5432 }],
    ['local', './a.sock:[fd00::1]:80', { path: './a.sock' }, { host: 'fd00::1', port: 80 }],
    ['remote', '8080:localhost:80', { host: '', port: 8080 }, { host: 'localhost', port: 80 }],
    ['remote', '10.0.0.2:8080:h:80', { host: '10.0.0.2', port: 8080 }, { host: 'h', port: 80 }],
    ['remote', '8080:/run/web.sock', { host: '', port: 8080 }, { path: '/run/web.sock' }],
    ['remote', '[fd00::2]:8080:/run/w:1.sock', { host: 'fd00::2', port: 8080 }, { path: '/run/w:1.sock' }],
  ] as const)
    it(`-${direction === 'local' ? 'L' : 'R'} ${text}`, () => {
      assert.deepEqual(parseForward(direction, text), { direction, protocol: 'tcp', from, to });
    });

  it('carries datagrams with /udp behind it', () => {
    assert.deepEqual(parseForward('local', '53:10.0.0.1:53/udp'), {
      direction: 'local',
      protocol: 'udp',
      from: { host: HERE, port: 53 },
      to: { host: '10.0.0.1', port: 53 },
    });
  });

  for (const [direction, text, message] of [
    ['local', '80', /\[BIND:\]PORT:HOST:HOSTPORT or PATH/],
    ['local', '80:db', /write/],
    ['local', '80:db:5432:1:2', /write/],
    ['local', '70000:db:5432', /write/],
    ['local', '80:db:0', /write/],
    ['local', '80:/run/x', /ports only/],
    ['remote', '/run/x:db:80', /ports only/],
    ['local', '/run/x:db:80/udp', /no datagrams/],
    ['local', '::1:80:db:5432', /write/],
  ] as const)
    it(`refuses -${direction === 'local' ? 'L' : 'R'} ${text}`, () => {
      assert.throws(() => parseForward(direction, text), { code: 'ERR_VALUE', message });
    });
});
