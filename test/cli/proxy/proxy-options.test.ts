import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { parseProxyCommandLine, readCredentials } from '../../../src/cli/proxy/proxy-options.js';

const parse = (...args: readonly string[]) => parseProxyCommandLine(args, [{ name: '[NAME=]FILE' }]);

describe('the command line of wiretype proxy', () => {
  it('names files, and tunnels where NAME= stands in front', () => {
    assert.deepEqual(parse('a.conf', 'home=b.conf', '/x=y/c.conf', './d=e.conf').files, [
      { file: 'a.conf' },
      { file: 'b.conf', name: 'home' },
      { file: '/x=y/c.conf' },
      { file: './d=e.conf' },
    ]);
    assert.throws(() => parse('--open'), { code: 'ERR_USAGE', message: /FILE is missing/ });
  });

  it('opens listeners, forwards and rules, each option as often as it is given', () => {
    const words = [
      '--socks',
      '1',
      '--socks',
      '[::1]:2',
      '--http',
      ':3',
      '--listen',
      '/run/x',
      '-L',
      '4:a:5',
      '-R',
      '6:b:7',
    ];
    const line = parse(...words, '--rule', 'a direct', '--rule', '* wg0', '-i', '8', 'wg0.conf');

    assert.deepEqual(
      line.listeners.map(({ protocol, at }) => [protocol, at]),
      [
        ['socks5', { host: '127.0.0.1', port: 1 }],
        ['socks5', { host: '::1', port: 2 }],
        ['http', { host: '0.0.0.0', port: 3 }],
        ['any', { path: '/run/x' }],
      ],
    );
    assert.deepEqual(
      line.forwards.map(({ direction, to }) => [direction, to]),
      [
        ['local', { host: 'a', port: 5 }],
        ['remote', { host: 'b', port: 7 }],
      ],
    );
    assert.deepEqual(
      line.rules.map(({ text }) => text),
      ['a direct', '* wg0'],
    );
    assert.deepEqual(line.info, { host: '127.0.0.1', port: 8 });
  });

  for (const [text, to] of [
    ['host:22', { host: 'host', port: 22 }],
    ['[fd00::1]:22', { host: 'fd00::1', port: 22 }],
    ['fd00::1:22', { host: 'fd00::1', port: 22 }],
  ] as const)
    it(`takes ${text} for --stdio, as ssh writes %h:%p`, () => {
      assert.deepEqual(parse('--stdio', text, 'wg0.conf').stdio, to);
    });

  for (const [words, message] of [
    [['--socks', 'x'], /--socks "x": /],
    [['--info', '/run/x'], /--info "\/run\/x": write \[HOST:\]PORT/],
    [['--rule', 'x'], /the rule "x" cannot be read/],
    [['-L', '1'], /-L "1": write/],
    [['--stdio', '22'], /--stdio "22": /],
    [['--password-file', 'x'], /--user NAME, which is missing/],
    [['--sock', '1'], /there is no option --sock: did you mean --socks\?/],
  ] as const)
    it(`refuses ${words.join(' ')}`, () => {
      assert.throws(() => parse(...words, 'wg0.conf'), { message });
    });

  it('has no password: it is the first line of a file, or in the environment', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'wiretype-password-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'from the file\nsecond line\n');
    const environment = { WIRETYPE_PROXY_PASSWORD: 'from the environment' };

    assert.equal(await readCredentials({}, environment), undefined);
    const [user, password] = ['me', 'from the file'];
    assert.deepEqual(await readCredentials({ user, passwordFile }, environment), { username: user, password });
    assert.equal((await readCredentials({ user }, environment))?.password, 'from the environment');
    await assert.rejects(readCredentials({ user }, {}), { code: 'ERR_USAGE', message: /WIRETYPE_PROXY_PASSWORD/ });
  });
});
