import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { TOTP } from 'otpauth';

import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { OPERATIONS } from '../../src/server/operations/operations.js';
import { cookieOf, PASSWORD, ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 60_000 };

describe('signing in', () => {
  it('begins with a one-time link that makes the owner, once', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    assert.equal((await lab.call('GET', '/session')).body.state, 'set-up-needed');
    const link = await lab.server.makeSetUpLink();
    const answer = await lab.call('POST', '/link', { link, name: 'li', password: PASSWORD });
    assert.equal(answer.body.person.role, 'owner');
    assert.match(
      answer.headers.get('set-cookie')!,
      /^wiretype=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    assert.equal((await lab.call('GET', '/session', undefined, cookieOf(answer))).body.state, 'signed-in');
    const again = await lab.call('POST', '/link', { link, name: 'wang', password: PASSWORD });
    assert.deepEqual([again.status, again.body.code], [401, 'ERR_SIGN_IN']);
    assert.equal(await lab.server.makeSetUpLink(), undefined, 'there is no second owner by surprise');
  });

  it('takes name and password, and says the same whatever of them is wrong', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    await lab.setUp();
    assert.equal((await lab.call('POST', '/sign-in', { name: 'LI', password: PASSWORD })).body.state, 'signed-in');
    const wrong = await lab.call('POST', '/sign-in', { name: 'li', password: 'wrong' });
    const nobody = await lab.call('POST', '/sign-in', { name: 'nobody', password: PASSWORD });
    assert.deepEqual(wrong.body, nobody.body);
    assert.equal(wrong.status, 401);
    assert.deepEqual(lab.lines, Array(2).fill('sign-in failed from 127.0.0.1'));
  });

  it('is slowed down after five failures, for that address and that account', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    await lab.setUp();
    for (let i = 0; i < 5; i++) await lab.call('POST', '/sign-in', { name: 'li', password: 'wrong' });
    const answer = await lab.call('POST', '/sign-in', { name: 'li', password: PASSWORD });
    assert.deepEqual([answer.status, answer.body.code], [429, 'ERR_ATTEMPTS']);
  });

  it('ends everywhere when a person is disabled, tokens as well', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const admin = await lab.invite(owner, 'wang', 'admin');
    const { body } = await lab.call('POST', '/tokens', { name: 't', scopes: ['devices:read'] }, admin);
    const token = { authorization: `Bearer ${body.token}` };
    assert.equal((await lab.call('GET', '/devices', undefined, token)).status, 200);
    const { people } = (await lab.call('GET', '/people', undefined, owner)).body;
    const { id } = people.find(({ name }: { name: string }) => name === 'wang');
    assert.equal((await lab.call('PATCH', `/people/${id}`, { isDisabled: true }, owner)).status, 200);
    assert.equal((await lab.call('GET', '/devices', undefined, admin)).status, 401);
    assert.equal((await lab.call('GET', '/devices', undefined, token)).status, 401);
  });

  it(
    'asks for a one-time code where the person has one, and takes each code once (RFC 6238 §5.2)',
    TIME_LIMIT,
    async () => {
      await using lab = await ServerLab.open();
      const owner = await lab.setUp();
      const { secret } = (await lab.call('POST', '/account/totp', {}, owner)).body;
      const totp = new TOTP({ secret });
      const confirmed = await lab.call('POST', '/account/totp/confirm', { secret, code: totp.generate() }, owner);
      assert.equal(confirmed.body.recoveryCodes.length, 10);
      const signIn = (code?: string) =>
        lab.call('POST', '/sign-in', { name: 'li', password: PASSWORD, ...(code === undefined ? {} : { code }) });
      assert.deepEqual((await signIn()).body, { state: 'code-needed' });
      const next = totp.generate({ timestamp: Date.now() + 30_000 });
      assert.equal((await signIn(next)).body.state, 'signed-in');
      assert.equal((await signIn(next)).status, 401, 'replayed');
      const [recovery] = confirmed.body.recoveryCodes;
      assert.equal((await signIn(recovery)).body.state, 'signed-in');
      assert.equal((await signIn(recovery)).status, 401, 'used up');
    },
  );
});

describe('requests', () => {
  it('without credentials get 401 from every operation that is not public', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    for (const { id, method, path, scope } of OPERATIONS) {
      if (scope === 'public') continue;
      const answer = await lab.call(
        method,
        path.replace(/:\w+/g, 'x'),
        method === 'GET' || method === 'DELETE' ? undefined : {},
      );
      assert.equal(answer.status, 401, id);
    }
    for (const path of ['/api/v1/events', '/metrics']) assert.equal((await lab.call('GET', path)).status, 401);
  });

  it('from another page are refused, by Sec-Fetch-Site or by Origin (CSRF)', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.example' },
    ] as Record<string, string>[])
      assert.equal((await lab.addDevice({ ...owner, ...headers }, 'phone')).body.code, 'ERR_ORIGIN');
    assert.equal((await lab.addDevice({ ...owner, origin: lab.origin }, 'phone')).status, 201);
    assert.equal(
      (await lab.call('GET', '/events', undefined, { ...owner, 'sec-fetch-site': 'cross-site' })).body.code,
      'ERR_ORIGIN',
    );
  });

  it('for another name are refused (DNS rebinding, CVE-2022-41924)', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    assert.equal(await statusFor(lab, 'evil.example'), 421);
    assert.equal(await statusFor(lab, 'vpn.example.net'), 200);
    assert.equal(await statusFor(lab, 'localhost:1'), 200);
  });

  it('with a member too many are refused (mass assignment, CVE-2026-27899)', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const viewer = await lab.invite(owner, 'wang', 'viewer');
    const self = (await lab.call('GET', '/session', undefined, viewer)).body.person.id;
    assert.equal((await lab.call('PATCH', `/people/${self}`, { role: 'owner' }, viewer)).status, 403);
    assert.equal((await lab.addDevice(owner, 'phone', { isBlocked: false })).status, 422);
    assert.equal((await lab.addDevice(owner, 'phone', { __proto__: 1, IsAdmin: true })).status, 422);
    assert.equal(
      (await lab.call('POST', '/devices', 'name=phone', { ...owner, 'content-type': 'text/plain' })).status,
      415,
    );
  });

  it('reach no file, whatever their path (traversal, CVE-2026-44343)', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    for (const path of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/state.db',
      '//etc/passwd',
      '/..%5cstate.db',
    ])
      assert.equal(await rawStatus(lab, path), 404, path);
  });

  it('carry headers that let nothing in from elsewhere', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const { headers } = await lab.call('GET', '/session');
    assert.match(headers.get('content-security-policy')!, /default-src 'none'.*require-trusted-types-for 'script'/);
    assert.equal(headers.get('access-control-allow-origin'), null);
    assert.equal(headers.get('cache-control'), 'no-store');
  });

  it('of a token reach what its scopes and tags allow', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.addDevice(owner, 'phone', { tags: ['mobile'] });
    await lab.addDevice(owner, 'laptop');
    const { body } = await lab.call(
      'POST',
      '/tokens',
      { name: 't', scopes: ['devices:read'], tags: ['mobile'] },
      owner,
    );
    const token = { authorization: `Bearer ${body.token}` };
    const { devices } = (await lab.call('GET', '/devices', undefined, token)).body;
    assert.deepEqual(
      devices.map(({ name }: { name: string }) => name),
      ['phone'],
    );
    assert.equal((await lab.addDevice(token, 'other')).status, 403);
    assert.equal((await lab.call('POST', '/tokens', { name: 'u', scopes: ['devices:read'] }, token)).status, 403);
    const spoilt = body.token.slice(0, -1) + (body.token.endsWith('A') ? 'B' : 'A');
    assert.equal((await lab.call('GET', '/devices', undefined, { authorization: `Bearer ${spoilt}` })).status, 401);
  });
});

describe('devices by HTTP', () => {
  it('are added, changed, blocked, issued again, removed and restored', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const added = await lab.addDevice(owner, 'phone', { hasPresharedKey: true, limits: { quotaBytes: 1e9 } });
    const { id } = added.body;
    assert.match(added.body.file, /^PrivateKey = $/m);
    assert.equal(added.body.presharedKey, undefined, 'the secret is in the file alone');
    const path = `/devices/${id}`;
    assert.equal((await lab.call('PATCH', path, { name: 'Li’s phone' }, owner)).status, 422);
    assert.equal((await lab.call('PATCH', path, { name: '手机 2', tags: ['家'] }, owner)).body.name, '手机 2');
    assert.equal((await lab.call('POST', `${path}/block`, {}, owner)).body.condition, 'blocked');
    assert.equal((await lab.call('POST', `${path}/unblock`, {}, owner)).body.condition, 'never-seen');
    const publicKey = formatKey(generateKeyPair().publicKey);
    assert.equal((await lab.call('POST', `${path}/reissue`, { publicKey }, owner)).body.nextPublicKey, publicKey);
    assert.equal((await lab.call('DELETE', path, undefined, owner)).status, 204);
    assert.equal((await lab.call('GET', '/devices', undefined, owner)).body.devices.length, 0);
    assert.equal((await lab.call('GET', '/devices?bin=1', undefined, owner)).body.devices.length, 1);
    assert.equal((await lab.call('POST', `${path}/restore`, {}, owner)).status, 200);
    const { entries } = (await lab.call('GET', '/audit?limit=5', undefined, owner)).body;
    assert.deepEqual(
      entries.map(({ operation }: { operation: string }) => operation),
      ['device.restore', 'device.remove', 'device.reissue', 'device.unblock', 'device.block'],
    );
    assert.doesNotMatch(JSON.stringify(entries), /presharedKey":"[^c]/);
  });

  it('have a link that gives their file once, to whoever has it (one-time links of wg-easy)', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { id } = (await lab.addDevice(owner, 'phone')).body;
    const { link } = (await lab.call('POST', `/devices/${id}/link`, {}, owner)).body;
    assert.match(link, /^[\w-]{22}$/, '128 random bits');
    assert.equal((await lab.call('POST', '/device-link/look', { link })).body.name, 'phone');
    const publicKey = formatKey(generateKeyPair().publicKey);
    const used = await lab.call('POST', '/device-link', { link, publicKey });
    assert.deepEqual([used.status, used.body.nextPublicKey], [200, publicKey]);
    assert.match(used.body.file, /^PrivateKey = $/m);
    assert.equal((await lab.call('POST', '/device-link', { link, publicKey })).status, 401, 'it works once');
    for (let i = 0; i < 6; i++) await lab.call('POST', '/device-link/look', { link: 'guess' });
    assert.equal(
      (await lab.call('POST', '/device-link/look', { link: 'guess' })).status,
      429,
      'guessing is slowed down',
    );
  });

  it(
    'are not changed over a change of somebody else, where the caller says what it knows (If-Match, RFC 9110 §13.1.1)',
    TIME_LIMIT,
    async () => {
      await using lab = await ServerLab.open();
      const owner = await lab.setUp();
      const { id, etag } = (await lab.addDevice(owner, 'phone')).body;
      const change = (name: string) => lab.call('PATCH', `/devices/${id}`, { name }, { ...owner, 'if-match': etag });
      assert.equal((await change('first')).status, 200);
      assert.deepEqual([(await change('second')).status, (await change('third')).body.code], [412, 'ERR_CHANGED']);
      const settings = (await lab.call('GET', '/settings', undefined, owner)).headers.get('etag')!;
      const set = (mtu: number) => lab.call('PATCH', '/settings', { mtu }, { ...owner, 'if-match': settings });
      assert.deepEqual([(await set(1_400)).status, (await set(1_380)).status], [200, 412]);
      const rules = (await lab.call('GET', '/rules', undefined, owner)).headers.get('etag')!;
      const rule = { action: 'deny', from: { kind: 'everyone' }, to: { kind: 'lan' } };
      const put = () => lab.call('PUT', '/rules', { rules: [rule] }, { ...owner, 'if-match': rules });
      assert.deepEqual([(await put()).status, (await put()).status], [200, 412]);
    },
  );

  it('are tried against rules: a test says which one decides', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { id } = (await lab.addDevice(owner, 'phone')).body;
    const rules = [
      {
        id: 'nas',
        action: 'allow',
        from: { kind: 'everyone' },
        to: { kind: 'prefix', prefix: '192.168.1.10' },
        protocol: 'tcp',
        ports: { first: 22, last: 22 },
      },
    ];
    assert.equal((await lab.call('PUT', '/rules', { rules }, owner)).body.rules[0].to.prefix, '192.168.1.10/32');
    const test = async (port: number) =>
      (await lab.call('POST', '/rules/test', { device: id, protocol: 'tcp', destination: '192.168.1.10', port }, owner))
        .body.decision;
    assert.deepEqual(await test(22), { isAllowed: true, reason: 'rule', rule: 'nas' });
    assert.deepEqual(await test(23), { isAllowed: false, reason: 'switch', switch: 'lan' });
    const bad = [{ action: 'allow', from: { kind: 'everyone' }, to: { kind: 'prefix', prefix: '192.168.1' } }];
    assert.equal((await lab.call('PUT', '/rules', { rules: bad }, owner)).status, 422);
  });
});

describe('the OpenAPI document', () => {
  it('is valid, and has every operation', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const { body } = await lab.call('GET', '/openapi.json');
    const verdict = await new Validator().validate(body);
    assert.deepEqual([verdict.valid, verdict.errors], [true, undefined]);
    const ids = Object.values(body.paths).flatMap((path) =>
      Object.values(path as object).map(({ operationId }) => operationId),
    );
    assert.deepEqual(ids.toSorted(), OPERATIONS.map(({ id }) => id).toSorted());
  });
});

describe('the counters for Prometheus', () => {
  const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

  it('are what promtool accepts without a complaint', {
    ...TIME_LIMIT,
    skip: !hasPromtool && 'needs promtool',
  }, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.addDevice(owner, 'a "quoted" name'.replaceAll('"', "'"));
    const { body } = await lab.call('GET', '/metrics', undefined, owner);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });
});

function statusFor(lab: ServerLab, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${lab.origin}/api/v1/session`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });
}

/** Sends a path as it is: `fetch` would tidy it up. */
function rawStatus(lab: ServerLab, path: string): Promise<number> {
  const { port } = new URL(lab.origin);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });
}
