import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseConfig } from '../../../src/control/config/index.js';
import { type ConfigAdditions, joinConfig } from '../../../src/proxy/config/join-config.js';
import type { ProxyFile } from '../../../src/proxy/config/proxy-file.js';
import type { Forward, ProxyListener } from '../../../src/proxy/proxy-config.js';
import { parseRule } from '../../../src/proxy/rules/parse-rule.js';

const NOTHING: ConfigAdditions = { listeners: [], forwards: [], rules: [], isOpen: false };
const FORWARD: Forward = {
  direction: 'local',
  protocol: 'tcp',
  from: { host: '127.0.0.1', port: 1 },
  to: { host: 'a', port: 1 },
};

function file(name: string, parts: Partial<ProxyFile> = {}): ProxyFile {
  const tunnel = {
    name,
    document: parseConfig('', name),
    family: 'auto',
    checkAlive: [],
    checkAliveSeconds: 5,
  } as const;
  return { tunnels: [tunnel], rules: [], listeners: [], forwards: [], warnings: [], ...parts };
}

function listener(host: string, parts: Partial<ProxyListener> = {}): ProxyListener {
  return { protocol: 'socks5', at: { host, port: 1080 }, ...parts };
}

describe('files and command line, put together', () => {
  it('serve SOCKS5 and HTTP on 127.0.0.1:1080 if nothing says what to do', () => {
    const [only] = joinConfig([file('a')], NOTHING).listeners;
    assert.deepEqual(only, { protocol: 'any', at: { host: '127.0.0.1', port: 1080 } });

    for (const additions of [{ forwards: [FORWARD] }, { stdio: { host: 'a', port: 1 } }])
      assert.deepEqual(joinConfig([file('a')], { ...NOTHING, ...additions }).listeners, []);
    assert.deepEqual(joinConfig([file('a', { forwards: [FORWARD] })], NOTHING).listeners, []);
  });

  it('have the rules of the command line first, then those of the files in their order', () => {
    const files = [file('a', { rules: [parseRule('x a')] }), file('b', { rules: [parseRule('y b')] })];
    const { rules, tunnels } = joinConfig(files, { ...NOTHING, rules: [parseRule('z direct')] });

    assert.deepEqual(
      rules.map(({ text }) => text),
      ['z direct', 'x a', 'y b'],
    );
    assert.deepEqual(
      tunnels.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('are refused where a listener without a password is open to other hosts', () => {
    for (const host of ['0.0.0.0', '10.0.0.1', '::', 'name.example']) {
      const join = (parts: Partial<ConfigAdditions>) =>
        joinConfig([file('a', { listeners: [listener(host)] })], { ...NOTHING, ...parts });
      assert.throws(() => join({}), { code: 'ERR_OPEN_PROXY', message: /:1080: other hosts/ });
      join({ isOpen: true });
      join({ credentials: { username: 'me', password: 'secret' } });
    }
    const credentials = { username: 'own', password: 'secret' };
    joinConfig(
      [file('a', { listeners: [listener('0.0.0.0', { credentials }), listener('127.0.0.1'), listener('::1')] })],
      NOTHING,
    );
  });

  it('give a password to the listeners that have none of their own', () => {
    const own = { username: 'own', password: '1' };
    const shared = { username: 'me', password: '2' };
    const files = [file('a', { listeners: [listener('127.0.0.1', { credentials: own })] })];

    const { listeners } = joinConfig(files, { ...NOTHING, listeners: [listener('::1')], credentials: shared });

    assert.deepEqual(
      listeners.map(({ credentials }) => credentials),
      [shared, own],
    );
  });

  for (const [title, files, message] of [
    ['two tunnels of one name', [file('a'), file('a')], /two tunnels are called "a": write NAME=FILE/],
    ['a tunnel that is called as a way', [file('direct')], /cannot be called direct/],
    [
      'a rule for a tunnel that is missing',
      [file('a'), file('b', { rules: [parseRule('x c')] })],
      /rule "x c": there is no tunnel "c": the tunnels are a, b/,
    ],
    [
      'a forward for a tunnel that is missing',
      [file('a', { forwards: [{ ...FORWARD, tunnel: 'c' }] })],
      /the forward from 127\.0\.0\.1:1: there is no tunnel "c"/,
    ],
  ] as const)
    it(`are refused with ${title}`, () => {
      assert.throws(() => joinConfig(files, NOTHING), { code: 'ERR_CONFIG', message });
    });
});
