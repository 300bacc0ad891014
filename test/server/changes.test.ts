import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatKey } from '../../src/control/key-text.js';
import { generateKeyPair } from '../../src/crypto/key-pair.js';
import { ServerLab } from './server-lab.js';

const TIME_LIMIT = { timeout: 60_000 };

const newKey = (): string => formatKey(generateKeyPair().publicKey);

describe('a dry run', () => {
  it('says what would change, and changes nothing', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { id, etag } = (await lab.addDevice(owner, 'phone')).body;
    const { revision } = lab.gateway;
    const tried = await lab.call('PATCH', `/devices/${id}?dryRun=1`, { name: 'tablet', tags: ['kids'] }, owner);
    assert.deepEqual(tried.body, {
      dryRun: true,
      changes: [
        { path: 'devices/tablet/name', from: 'phone', to: 'tablet' },
        { path: 'devices/tablet/tags', from: [], to: ['kids'] },
      ],
    });
    const removed = await lab.call('DELETE', `/devices/${id}?dryRun=1`, undefined, owner);
    assert.deepEqual(
      removed.body.changes.map(({ path }: { path: string }) => path),
      ['devices/phone/deletedAtUnixMs'],
    );
    const added = await lab.call('POST', '/devices?dryRun=1', { name: 'new', publicKey: newKey() }, owner);
    assert.equal(added.status, 200);
    const set = await lab.call('PATCH', '/settings?dryRun=1', { mtu: 1_400 }, owner);
    assert.deepEqual(set.body.changes, [{ path: 'settings/mtu', from: 1_420, to: 1_400 }]);
    assert.equal(lab.gateway.revision, revision);
    assert.equal((await lab.call('GET', `/devices/${id}`, undefined, owner)).body.etag, etag);
  });

  it('refuses what the change itself would refuse, and operations that it cannot try', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.addDevice(owner, 'phone');
    const twin = await lab.call('POST', '/devices?dryRun=1', { name: 'Phone', publicKey: newKey() }, owner);
    assert.deepEqual([twin.status, twin.body.code], [409, 'ERR_DEVICE_EXISTS']);
    const viewer = await lab.invite(owner, 'wang', 'viewer');
    assert.equal((await lab.call('PATCH', '/settings?dryRun=1', { mtu: 1_400 }, viewer)).status, 403);
    const token = await lab.call('POST', '/tokens?dryRun=1', { name: 't', scopes: ['devices:read'] }, owner);
    assert.deepEqual([token.status, token.body.code], [422, 'ERR_INPUT']);
  });
});

describe('the history of settings', () => {
  it('leads back to before any change, and takes away what a change added', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const { subnet6: first } = lab.gateway.settings;
    await lab.call('PATCH', '/settings', { mtu: 1_400 }, owner);
    await lab.call('PATCH', '/settings', { mtu: 1_380, subnet6: 'fd99::/64' }, owner);
    const { entries } = (await lab.call('GET', '/settings/history', undefined, owner)).body;
    assert.deepEqual(entries[0].changes, [
      { name: 'subnet6', from: first, to: 'fd99::/64' },
      { name: 'mtu', from: 1_400, to: 1_380 },
    ]);
    const { number } = entries[1];
    assert.equal((await lab.call('POST', '/settings/restore', { number }, owner)).body.mtu, 1_420);
    assert.equal(lab.gateway.settings.subnet6, first);
    assert.equal((await lab.call('POST', '/settings/restore', { number: 1 }, owner)).status, 404);
  });
});

describe('an Idempotency-Key', () => {
  it('makes a request count once, and belongs to one request', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const headers = { ...owner, 'idempotency-key': 'order 1'.replace(' ', '-') };
    const body = { name: 'phone', publicKey: newKey() };
    const [first, second] = await Promise.all([
      lab.call('POST', '/devices', body, headers),
      lab.call('POST', '/devices', body, headers),
    ]);
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(first.body.id, second.body.id);
    const other = await lab.call('POST', '/devices', { ...body, name: 'other' }, headers);
    assert.deepEqual([other.status, other.body.code], [422, 'ERR_KEY_REUSED']);
    const failed = { ...owner, 'idempotency-key': 'k2' };
    assert.equal((await lab.call('POST', '/devices', { name: 'phone', publicKey: newKey() }, failed)).status, 409);
    assert.equal((await lab.call('POST', '/devices', { name: 'free', publicKey: newKey() }, failed)).status, 201);
  });
});

describe('own devices', () => {
  it(
    'are added, renewed and removed by members where the settings allow it, and by nobody else',
    TIME_LIMIT,
    async () => {
      await using lab = await ServerLab.open();
      const owner = await lab.setUp();
      const [wang, zhao] = [await lab.invite(owner, 'wang', 'member'), await lab.invite(owner, 'zhao', 'member')];
      const add = (name: string, who = wang, more = {}) =>
        lab.call('POST', '/own/devices', { name, publicKey: newKey(), ...more }, who);
      assert.deepEqual([(await add('phone')).status, (await add('phone')).body.code], [403, 'ERR_SCOPE']);
      await lab.call('PATCH', '/settings', { membersMayAdd: true }, owner);
      const { status, body } = await add('phone');
      assert.equal(status, 201);
      assert.match(body.file, /^PrivateKey = $/m);
      assert.equal((await add('x', wang, { limits: {} })).status, 422, 'rights are those of a new device');
      assert.equal((await lab.addDevice(wang, 'y')).status, 403);
      const path = `/own/devices/${body.id}`;
      assert.equal((await lab.call('POST', `${path}/reissue`, { publicKey: newKey() }, zhao)).status, 404);
      assert.equal((await lab.call('POST', `${path}/reissue`, { publicKey: newKey() }, wang)).status, 200);
      assert.equal((await lab.call('DELETE', path, undefined, zhao)).status, 404);
      assert.equal((await lab.call('GET', '/devices', undefined, zhao)).body.devices.length, 0);
      assert.equal((await lab.call('DELETE', path, undefined, wang)).status, 204);
      for (let i = 0; i < 10; i++) assert.equal((await add(`own ${i}`)).status, 201);
      assert.equal((await add('one too many')).status, 422);
      const audit = (await lab.call('GET', '/audit?limit=100', undefined, owner)).body.entries;
      assert.ok(audit.some(({ actor }: { actor: string }) => actor === body.owner));
    },
  );
});

describe('a change of many devices', () => {
  it('is made for each that it can be made for, and says which failed', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push((await lab.addDevice(owner, name)).body.id);
    await lab.call('DELETE', `/devices/${ids[2]}`, undefined, owner);
    const { body } = await lab.call('POST', '/devices/bulk', { ids: [...ids, 'none'], action: 'block' }, owner);
    assert.deepEqual(
      body.changed.map(({ name, isBlocked }: { name: string; isBlocked: boolean }) => [name, isBlocked]),
      [
        ['a', true],
        ['b', true],
      ],
    );
    assert.deepEqual(
      body.failed.map(({ id, code }: { id: string; code: string }) => [id, code]),
      [
        [ids[2], 'ERR_NO_DEVICE'],
        ['none', 'ERR_NOT_FOUND'],
      ],
    );
    const tagged = await lab.call('POST', '/devices/bulk', { ids: ids.slice(0, 2), addTags: ['x', 'y'] }, owner);
    assert.deepEqual(tagged.body.changed[1].tags, ['x', 'y']);
    const less = await lab.call('POST', '/devices/bulk', { ids: [ids[1]], removeTags: ['x'] }, owner);
    assert.deepEqual(less.body.changed[0].tags, ['y']);
    assert.deepEqual((await lab.call('GET', `/devices/${ids[0]}`, undefined, owner)).body.tags, ['x', 'y']);
  });
});

describe('a declared configuration', () => {
  const document = (keys: readonly string[]) => ({
    settings: { mtu: 1_380, dns: ['9.9.9.9'] },
    devices: [
      { name: 'phone', publicKey: keys[0], tags: ['kids'], limits: { quotaBytes: 1e9 }, owner: 'li' },
      { name: 'nas', publicKey: keys[1], switches: { internet: false, lan: true, devices: true }, isBlocked: true },
    ],
    rules: [
      { action: 'allow', from: { kind: 'device', device: 'phone' }, to: { kind: 'device', device: 'nas' } },
      { action: 'deny', from: { kind: 'tag', tag: 'kids' }, to: { kind: 'prefix', prefix: '10.0.0.0/8' } },
    ],
  });

  it('is put in force whole, and a second time changes nothing', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.addDevice(owner, 'old');
    const body = document([newKey(), newKey()]);
    const tried = await lab.call('POST', '/config?dryRun=1', body, owner);
    assert.ok(tried.body.changes.length > 10);
    assert.equal(lab.gateway.devices().length, 1);
    const { changes } = (await lab.call('POST', '/config', body, owner)).body;
    assert.deepEqual(
      changes.map(({ path }: { path: string }) => path).filter((path: string) => !path.startsWith('devices')),
      ['settings/dns', 'settings/mtu', 'rules'],
    );
    const [, phone, nas] = lab.gateway.devices().map(({ device }) => device);
    assert.deepEqual([phone!.name, phone!.limits, nas!.isBlocked], ['phone', { quotaBytes: 1e9 }, true]);
    assert.deepEqual(lab.gateway.rules()[0]!.from, { kind: 'device', device: phone!.id });
    assert.equal(lab.gateway.settings.mtu, 1_380);
    const { revision } = lab.gateway;
    assert.deepEqual((await lab.call('POST', '/config', body, owner)).body.changes, []);
    assert.equal(lab.gateway.revision, revision);
  });

  it('removes what it does not name only where it says so, and takes new keys over', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.addDevice(owner, 'old');
    const keys = [newKey(), newKey()];
    await lab.call('POST', '/config', document(keys), owner);
    const renewed = { ...document([newKey(), keys[1]!]), prune: true };
    const { changes } = (await lab.call('POST', '/config', renewed, owner)).body;
    assert.deepEqual(changes.map(({ path }: { path: string }) => path).toSorted(), [
      'devices/old/deletedAtUnixMs',
      'devices/phone/nextPublicKey',
    ]);
  });

  it('changes nothing where one part is wrong, and says which', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    const key = newKey();
    const { revision } = lab.gateway;
    for (const [body, message] of [
      [document([key, key]), /the public key belongs to phone/],
      [{ devices: [{ name: 'a', publicKey: key, owner: 'nobody' }] }, /^devices\.0\.owner: /],
      [{ devices: [{ name: 'a', publicKey: key, colour: 'red' }] }, /^devices\.0\.colour: /],
      [{ settings: { mtu: 1 }, devices: [{ name: 'a', publicKey: key }] }, /mtu: /],
      [{ devices: ['a', 'A'].map((name) => ({ name, publicKey: newKey() })) }, /^devices\.1\.name: A is there twice/],
    ] as const) {
      const { status, body: problem } = await lab.call('POST', '/config', body, owner);
      assert.ok(status === 422 || status === 409, String(status));
      assert.match(problem.detail, message);
    }
    assert.equal(lab.gateway.revision, revision);
  });

  it('is what the gateway writes down itself', TIME_LIMIT, async () => {
    await using lab = await ServerLab.open();
    const owner = await lab.setUp();
    await lab.call('POST', '/config', document([newKey(), newKey()]), owner);
    const { body } = await lab.call('GET', '/config', undefined, owner);
    assert.deepEqual(body.rules[0].to, { kind: 'device', device: 'nas' });
    assert.deepEqual((await lab.call('POST', '/config', body, owner)).body.changes, []);
    await using other = await ServerLab.open();
    const second = await other.setUp();
    assert.equal((await other.call('POST', '/config', { ...body, settings: {} }, second)).status, 200);
    const copied = (await other.call('GET', '/config', undefined, second)).body;
    assert.deepEqual([copied.devices, copied.rules], [body.devices, body.rules]);
  });
});
