import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import type { Invitation } from '../../src/gateway/mesh-model.js';
import type { AccessRule } from '../../src/policy/access.js';
import { StateDatabase } from '../../src/store/state-database.js';
import { audit, device, keyText, SETTINGS, SQLITE, withFolder } from './samples.js';

const invitation = (id: string): Invitation => ({
  id,
  publicKey: keyText(90),
  address: 'fd00::1',
  tags: [],
  usesLeft: 1,
  createdAtUnixMs: 1,
  createdBy: 'local',
  expiresAtUnixMs: 2,
  used: [],
});

const RULES: readonly AccessRule[] = [
  {
    id: 'r2',
    action: 'allow',
    from: { kind: 'tag', tag: 'phones' },
    to: { kind: 'prefix', prefix: { address: Uint8Array.of(192, 168, 1, 0), prefixLength: 24 } },
    protocol: 'tcp',
    ports: { first: 22, last: 22 },
  },
  { id: 'r1', action: 'deny', from: { kind: 'everyone' }, to: { kind: 'device', device: 'd1' } },
];

describe('state.db', () => {
  it('has no state before the first commit of settings', () =>
    withState((state) => {
      assert.equal(state.load(), undefined);
    }));

  it('gives back what was committed, in its order, after it was opened again', () =>
    withFolder((folder) => {
      const first = open(folder);
      const devices = [
        device(2, { owner: 'p1', presharedKey: keyText(70) }),
        device(0),
        device(1, { isBlocked: true }),
      ];
      const invitations = [invitation('i1'), invitation('i2')];
      const changes = { putDevices: devices, rules: RULES, putInvitations: invitations };
      const revision = first.commit({ settings: SETTINGS, ...changes, audit: audit('init') });
      first.database.close();

      const second = open(folder);

      assert.deepEqual(second.load(), { settings: SETTINGS, devices, rules: RULES, invitations, revision });
      second.commit({ removeInvitations: ['i1'], audit: audit('invitation.withdraw') });
      assert.deepEqual(second.load()!.invitations, [invitations[1]]);
      second.database.close();
    }));

  it('keeps the place of a device that changes, and the places of others when one goes', () =>
    withState((state) => {
      state.commit({ settings: SETTINGS, putDevices: [device(0), device(1), device(2)], audit: audit('init') });

      state.commit({
        putDevices: [device(0, { name: 'Tablet' })],
        removeDevices: ['d1'],
        audit: audit('device.change'),
      });

      assert.deepEqual(
        state.load()?.devices.map(({ id, name }) => `${id} ${name}`),
        ['d0 Tablet', 'd2 Phone 2'],
      );
    }));

  it('takes rules as a whole, in their order', () =>
    withState((state) => {
      state.commit({ settings: SETTINGS, rules: RULES, audit: audit('init') });

      state.commit({ rules: RULES.toReversed(), audit: audit('rules') });

      assert.deepEqual(state.load()?.rules, RULES.toReversed());
    }));

  it('counts the revision up with every change, whatever it is of', () =>
    withState((state) => {
      const revisions = [
        state.commit({ settings: SETTINGS, audit: audit('init') }),
        state.people.change({ audit: audit('person.sign-in-failed') }),
        state.webhooks.change({ audit: audit('webhook') }),
        state.commit({ audit: audit('nothing') }),
      ];

      assert.deepEqual(revisions, [1, 2, 3, 4]);
      assert.equal(state.load()?.revision, 4);
    }));

  it('refuses a public key that another device has, with the whole change and its line in the audit log', () =>
    withState((state) => {
      state.commit({ settings: SETTINGS, putDevices: [device(0)], audit: audit('init') });
      const before = state.load();

      const twins = [device(1), device(2, { publicKey: device(0).publicKey })];
      assert.throws(() => state.commit({ putDevices: twins, audit: audit('device.add') }), {
        code: 'ERR_VALUE',
        message: 'two devices cannot have the same public key',
      });

      assert.deepEqual(state.load(), before);
      assert.equal(state.audit.lines(9).length, 1);
    }));

  it('lets a device take the key of one that the same change removes', () =>
    withState((state) => {
      state.commit({ settings: SETTINGS, putDevices: [device(0)], audit: audit('init') });

      const heir = device(1, { publicKey: device(0).publicKey });
      state.commit({ putDevices: [heir], removeDevices: ['d0'], audit: audit('device.replace') });

      assert.deepEqual(state.load()?.devices, [heir]);
    }));
});

function open(folder: string): StateDatabase {
  return StateDatabase.open(SQLITE, join(folder, 'state.db'));
}

async function withState(test: (state: StateDatabase) => void): Promise<void> {
  await withFolder((folder) => {
    const state = open(folder);
    try {
      test(state);
    } finally {
      state.database.close();
    }
  });
}
