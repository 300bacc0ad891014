import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { DialTarget, Exit } from '../../../src/proxy/exit.js';
import { parseRule } from '../../../src/proxy/rules/parse-rule.js';
import { RouteError } from '../../../src/proxy/rules/route-error.js';
import { Router } from '../../../src/proxy/rules/router.js';

const NEVER = new AbortController().signal;

describe('the router', () => {
  it('sends everything through the first tunnel, without a lookup, if there are no rules', async () => {
    const { router, lookups } = make([]);
    assert.equal(await wayOf(router, 'example.com'), 'wg0 example.com');
    assert.equal(await wayOf(router, '192.0.2.1'), 'wg0 192.0.2.1=192.0.2.1');
    assert.deepEqual(lookups, []);
  });

  it('decides by a domain before any lookup: case, the dot at the end and *. make no difference', async () => {
    const { router, lookups } = make(['*.Example.com wg1', 'other.test block']);
    for (const host of ['example.com', 'EXAMPLE.com.', 'a.b.example.com'])
      assert.match(await wayOf(router, host), /^wg1/, host);
    assert.match(await wayOf(router, 'badexample.com'), /^wg0/);
    assert.match(await wayOf(router, 'other.test'), /blocks other\.test:80/);
    assert.deepEqual(lookups, []);
  });

  it('looks a name up outside only if a rule sends it direct, and connects to exactly that address', async () => {
    const { router, lookups } = make(['direct.test direct'], { 'direct.test': ['192.0.2.7'] });
    assert.equal(await wayOf(router, 'direct.test'), 'direct direct.test=192.0.2.7');
    await wayOf(router, 'secret.test');
    assert.deepEqual(lookups, ['direct direct.test']);
  });

  it('looks a name up inside of the tunnel to apply a rule with a prefix', async () => {
    const names = { 'a.test': ['10.1.1.1'], 'b.test': ['192.0.2.1'] };
    const { router, lookups } = make(['10.0.0.0/8 direct'], names);
    assert.equal(await wayOf(router, 'a.test'), 'direct a.test=10.1.1.1');
    assert.equal(await wayOf(router, 'b.test'), 'wg0 b.test=192.0.2.1');
    assert.deepEqual(lookups, ['wg0 a.test', 'wg0 b.test']);
  });

  it('uses the resolver of the way that a name takes by the other rules, and the tunnel if that is none', async () => {
    const names = { 'a.test': ['192.0.2.1'] };
    for (const [rules, resolver] of [
      [['10.0.0.0/8 wg0', '* direct'], 'direct'],
      [['10.0.0.0/8 direct', '* wg1'], 'wg1'],
      [['10.0.0.0/8 direct', '* block'], 'wg0'],
    ] as const) {
      const { router, lookups } = make(rules, names);
      await wayOf(router, 'a.test');
      assert.deepEqual(lookups, [`${resolver} a.test`]);
    }
  });

  it('judges every address of a name: blocked ones are left out, and a name with no other is blocked', async () => {
    const names = { 'mixed.test': ['10.0.0.1', '192.0.2.1', '192.0.2.2'], 'inner.test': ['10.0.0.1'] };
    const { router } = make(['10.0.0.0/8 block'], names);
    assert.equal(await wayOf(router, 'mixed.test'), 'wg0 mixed.test=192.0.2.1,192.0.2.2');
    assert.match(await wayOf(router, 'inner.test'), /the rule "10\.0\.0\.0\/8 block" blocks inner\.test:80/);
  });

  it('reads an IPv4 address inside of an IPv6 address, and an address written as a name, as the address', async () => {
    const { router } = make(['10.0.0.0/8 block', 'fd00::/8 block']);
    for (const host of ['::ffff:10.0.0.1', '::ffff:a00:1', 'FD00:0::1'])
      assert.match(await wayOf(router, host), /blocks/, host);
  });

  it('does not open this host and its link by a rule for everything or for a name (DNS rebinding)', async () => {
    const names = {
      'evil.test': ['127.0.0.1'],
      'half.test': ['169.254.169.254', '192.0.2.1'],
      localhost: ['127.0.0.1'],
    };
    const { router } = make(['evil.test direct', 'localhost direct', '* direct'], names);
    for (const host of ['127.0.0.1', '::1', '0.0.0.0', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1', 'evil.test'])
      assert.match(await wayOf(router, host), /needs a rule of its own/, host);
    assert.equal(await wayOf(router, 'half.test'), 'direct half.test=192.0.2.1');
    assert.equal(await wayOf(router, 'localhost'), 'direct localhost=127.0.0.1');
    assert.match(await wayOf(make(['127.0.0.0/8 direct']).router, '127.0.0.1'), /^direct/);
  });

  it('takes ports into account, and the first rule that matches', async () => {
    const { router } = make(['*:25 block', 'a.test:80-90 wg1', '192.0.2.0/24:443 wg1', '* wg0'], {
      'a.test': ['10.0.0.1'],
    });
    assert.match(await wayOf(router, 'a.test', 25), /blocks/);
    assert.match(await wayOf(router, 'a.test', 90), /^wg1/);
    assert.match(await wayOf(router, 'a.test', 91), /^wg0/);
    assert.match(await wayOf(router, '192.0.2.9', 443), /^wg1/);
    assert.match(await wayOf(router, '192.0.2.9', 80), /^wg0/);
    assert.deepEqual(
      router.hits.map(({ text, connections }) => `${text} ${connections}`),
      ['*:25 block 1', 'a.test:80-90 wg1 1', '192.0.2.0/24:443 wg1 1', '* wg0 2', '* 0'],
    );
  });

  it('reports a name that is not found, and a rule for a tunnel that is missing', async () => {
    const { router } = make(['10.0.0.0/8 direct']);
    assert.match(await wayOf(router, 'nowhere.test'), /name nowhere\.test was not found through the tunnel wg0/);
    assert.throws(() => make(['* wg7']), { code: 'ERR_VALUE', message: /wg7, which is missing/ });
  });

  it('routes or refuses every host, and never asks the outside for a name of the tunnel', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary' }), fc.domain(), fc.ipV6()),
        fc.integer({ min: -1, max: 70_000 }),
        async (host, port) => {
          const { router, lookups } = make(['10.0.0.0/8 wg1', 'direct.test direct']);
          try {
            await router.route({ host, port }, NEVER);
          } catch (error) {
            assert.ok(error instanceof RouteError);
          }
          assert.ok(lookups.every((lookup) => !lookup.startsWith('direct')));
        },
      ),
    );
  });
});

function make(rules: readonly string[], names: Record<string, readonly string[]> = {}) {
  const lookups: string[] = [];
  const exits = ['wg0', 'wg1', 'direct'].map((name) => fakeExit(name, names, lookups));
  const router = new Router({ tunnels: exits.slice(0, 2), direct: exits[2]!, rules: rules.map(parseRule) });
  return { router, lookups };
}

function fakeExit(name: string, names: Record<string, readonly string[]>, lookups: string[]): Exit {
  const refuse = (): never => {
    throw new Error('not part of this test');
  };
  return {
    name,
    lookup: async (host): Promise<LookupAddress[]> => {
      lookups.push(`${name} ${host}`);
      const found = names[host];
      if (found !== undefined) return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
    },
    connect: refuse,
    listen: refuse,
    openUdp: refuse,
    explainSilence: () => undefined,
  };
}

/** Returns `EXIT HOST[=ADDRESSES]`, or the message of the refusal. */
async function wayOf(router: Router, host: string, port = 80): Promise<string> {
  try {
    const { exit, to } = await router.route({ host, port }, NEVER);
    return `${exit.name} ${format(to)}`;
  } catch (error) {
    assert.ok(error instanceof RouteError);
    return error.message;
  }
}

function format({ host, addresses }: DialTarget): string {
  return addresses === undefined ? host : `${host}=${addresses.map(({ address }) => address).join()}`;
}
