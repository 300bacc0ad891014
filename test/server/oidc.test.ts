import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { OidcSettings } from '../../src/server/auth/oidc.js';
import { ServerLab } from './server-lab.js';
import { SmallIssuer } from './small-issuer.js';

const TIME_LIMIT = { timeout: 60_000 };

interface Outcome {
  readonly location: string;
  readonly cookie: string | undefined;
}

class Setting implements AsyncDisposable {
  readonly issuer: SmallIssuer;
  readonly lab: ServerLab;

  static async open(more: Partial<OidcSettings> = {}): Promise<Setting> {
    const issuer = await SmallIssuer.open();
    const { url, clientId, clientSecret } = issuer;
    const settings = { issuer: url, clientId, clientSecret, name: 'Small', domains: [], ...more };
    return new Setting(issuer, await ServerLab.open(undefined, { oidc: settings }));
  }

  private constructor(issuer: SmallIssuer, lab: ServerLab) {
    this.issuer = issuer;
    this.lab = lab;
  }

  /** Goes to the provider and comes back, as a browser. @param browser Cookies that the browser brings back, in the place of its own. */
  async go(path: string, headers: Record<string, string> = {}, body: object = {}, browser?: string): Promise<Outcome> {
    const begun = await this.lab.call('POST', path, body, headers);
    assert.equal(begun.status, 200, begun.body.detail);
    const state = browser ?? (begun.headers.get('set-cookie') ?? '').split(';')[0]!;
    const there = await fetch(begun.body.url, { redirect: 'manual' });
    const back = await fetch(there.headers.get('location')!, { redirect: 'manual', headers: { cookie: state } });
    assert.equal(back.status, 303);
    return { location: back.headers.get('location')!, cookie: back.headers.get('set-cookie')?.split(';')[0] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]();
    await this.issuer[Symbol.asyncDispose]();
  }
}

const IN = '../../../#/devices';
const REFUSED = '../../../#/refused/ERR_SIGN_IN';

describe('signing in by an OpenID provider', () => {
  it('works for an account that its person has linked, and for no other', TIME_LIMIT, async () => {
    await using setting = await Setting.open();
    const { lab, issuer } = setting;
    const owner = await lab.setUp();
    assert.deepEqual((await lab.call('GET', '/session')).body.oidc, { name: 'Small' });
    assert.equal((await setting.go('/sign-in/oidc')).location, REFUSED);
    assert.match(lab.lines.at(-1)!, /sign-in failed from 127\.0\.0\.1: nobody here has that account/);
    assert.equal((await setting.go('/account/oidc', owner)).location, IN);
    const { location, cookie } = await setting.go('/sign-in/oidc');
    assert.equal(location, IN);
    const session = (await lab.call('GET', '/session', undefined, { cookie: cookie! })).body;
    assert.deepEqual([session.person.name, session.person.role], ['li', 'owner']);
    issuer.account = { ...issuer.account, sub: 'account-2' };
    assert.equal((await setting.go('/sign-in/oidc')).location, REFUSED);
    issuer.account = { ...issuer.account, sub: 'account-1' };
    assert.equal((await lab.call('DELETE', '/account/oidc', undefined, owner)).status, 204);
    assert.equal((await setting.go('/sign-in/oidc')).location, REFUSED);
  });

  it('takes an invitation, once, with its role', TIME_LIMIT, async () => {
    await using setting = await Setting.open();
    const { lab } = setting;
    const owner = await lab.setUp();
    const { link } = (await lab.call('POST', '/invitations', { role: 'viewer' }, owner)).body;
    assert.equal((await setting.go('/sign-in/oidc', {}, { link })).location, IN);
    const { people } = (await lab.call('GET', '/people', undefined, owner)).body;
    assert.deepEqual(
      people.map(({ name, role }: { name: string; role: string }) => [name, role]),
      [
        ['li', 'owner'],
        ['li@example.net', 'viewer'],
      ],
    );
    setting.issuer.account = { sub: 'another' };
    assert.equal((await setting.go('/sign-in/oidc', {}, { link })).location, REFUSED);
  });

  it(
    'lets strangers in with a verified address of a domain only, and never as more than is said',
    TIME_LIMIT,
    async () => {
      await using setting = await Setting.open({ role: 'member', domains: ['example.net'] });
      const { lab, issuer } = setting;
      const owner = await lab.setUp();
      for (const [account, location] of [
        [{ sub: 'a', email: 'a@evil.net', email_verified: true }, REFUSED],
        [{ sub: 'b', email: 'b@example.net', email_verified: false }, REFUSED],
        [{ sub: 'c' }, REFUSED],
        [{ sub: 'd', email: 'd@example.net', email_verified: true }, IN],
      ] as const) {
        issuer.account = account;
        assert.equal((await setting.go('/sign-in/oidc')).location, location, account.sub);
      }
      const { people } = (await lab.call('GET', '/people', undefined, owner)).body;
      assert.deepEqual([people.length, people[1].role], [2, 'member']);
    },
  );

  it(
    'refuses callbacks of another browser, used twice, with a wrong nonce or for another client',
    TIME_LIMIT,
    async () => {
      await using setting = await Setting.open({ role: 'member' });
      const { lab, issuer } = setting;
      await lab.setUp();
      assert.equal((await setting.go('/sign-in/oidc', {}, {}, 'wiretype-oidc=stolen')).location, REFUSED);
      for (const wrong of [{ nonce: 'other' }, { aud: 'other' }, { iss: 'http://evil.example' }, { exp: 1 }]) {
        issuer.wrong = wrong;
        assert.equal((await setting.go('/sign-in/oidc')).location, REFUSED, JSON.stringify(wrong));
      }
      issuer.wrong = {};
      const begun = await lab.call('POST', '/sign-in/oidc', {});
      const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0]!;
      const there = await fetch(begun.body.url, { redirect: 'manual' });
      const back = () => fetch(there.headers.get('location')!, { redirect: 'manual', headers: { cookie } });
      assert.equal((await back()).headers.get('location'), IN);
      assert.equal((await back()).headers.get('location'), REFUSED);
    },
  );

  it('says that the provider cannot be reached, and tries again later', TIME_LIMIT, async () => {
    const oidc = { issuer: 'http://127.0.0.1:1', clientId: 'a', clientSecret: 'b', name: 'Gone', domains: [] };
    await using lab = await ServerLab.open(undefined, { oidc });
    const { status, body } = await lab.call('POST', '/sign-in/oidc', {});
    assert.deepEqual([status, body.code], [502, 'ERR_OIDC']);
    assert.match(body.detail, /Gone cannot be reached/);
  });
});
