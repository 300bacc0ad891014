import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import type { ApiToken, OneTimeLink, Passkey, SignIn } from '../../src/store/people-store.js';
import type { PeopleTables } from '../../src/store/people-tables.js';
import { StateDatabase } from '../../src/store/state-database.js';
import { audit, person, SQLITE, START_UNIX_MS, withFolder } from './samples.js';

const HOUR_MS = 3_600_000;

describe('people', () => {
  it('are found by their name in any case of its letters, and by their identity', () =>
    withPeople((people) => {
      const identity = { issuer: 'https://id.example', subject: '42' };
      people.change({ putPeople: [person('p1', { name: 'Anna', identity }), person('p2')], audit: audit('add') });

      assert.equal(people.personNamed('aNNA')?.id, 'p1');
      assert.equal(people.personOfIdentity('https://id.example', '42')?.id, 'p1');
      assert.equal(people.personOfIdentity('https://id.example', '43'), undefined);
    }));

  it('cannot share a name or an identity', () =>
    withPeople((people) => {
      const identity = { issuer: 'https://id.example', subject: '42' };
      people.change({ putPeople: [person('p1', { name: 'Anna', identity })], audit: audit('add') });

      const add = (change: object) => () => people.change({ putPeople: [person('p2', change)], audit: audit('add') });
      assert.throws(add({ name: 'ANNA' }), { code: 'ERR_VALUE', message: 'two people cannot have the same name' });
      assert.throws(add({ identity }), { code: 'ERR_VALUE', message: 'two people cannot have the same identity' });
    }));

  it('lose sign-ins and tokens with the change that disables them, and nobody else does', () =>
    withPeople((people) => {
      addTwoWithEverything(people);

      people.change({ putPeople: [person('p1', { isDisabled: true })], audit: audit('person.disable') });

      assert.deepEqual([people.signIns('p1'), people.signIns('p2').length], [[], 1]);
      assert.deepEqual(
        people.tokens().map(({ id }) => id),
        ['t-p2'],
      );
      assert.equal(people.passkeys('p1').length, 1);
    }));

  it('take passkeys, sign-ins, tokens and links with them when they are removed', () =>
    withPeople((people) => {
      addTwoWithEverything(people);

      people.change({ removePeople: ['p1'], audit: audit('person.remove') });

      assert.deepEqual([people.passkeys('p1'), people.signIns('p1')], [[], []]);
      assert.deepEqual(
        people.tokens().map(({ id }) => id),
        ['t-p2'],
      );
      assert.deepEqual(
        people.links().map(({ hash }) => hash),
        ['l-p2'],
      );
    }));

  it('are signed out everywhere else by one change that signs them in anew', () =>
    withPeople((people) => {
      addTwoWithEverything(people);

      people.change({ signOutPeople: ['p1'], putSignIns: [signIn('new', 'p1')], audit: audit('password') });

      assert.deepEqual(
        people.signIns('p1').map(({ idHash }) => idHash),
        ['new'],
      );
    }));
});

describe('one-time passwords', () => {
  it('are accepted once for a time step, and not for one before (RFC 6238 §5.2)', () =>
    withPeople((people) => {
      people.change({ putPeople: [person('p1', { totp: { secret: 'GEZDGNBV', lastStep: -1 } })], audit: audit('add') });

      const accepted = [100, 100, 99, 101].map((step) => people.acceptTotpStep('p1', step));

      assert.deepEqual(accepted, [true, false, false, true]);
      assert.deepEqual(people.person('p1')?.totp, { secret: 'GEZDGNBV', lastStep: 101 });
    }));

  it('are never accepted for a person without a secret', () =>
    withPeople((people) => {
      people.change({ putPeople: [person('p1')], audit: audit('add') });

      assert.equal(people.acceptTotpStep('p1', 100), false);
      assert.equal(people.acceptTotpStep('nobody', 100), false);
    }));

  it('can be replaced by each recovery code once', () =>
    withPeople((people) => {
      people.change({ putPeople: [person('p1', { recoveryCodeHashes: ['a', 'b'] })], audit: audit('add') });

      const accepted = ['b', 'b', 'c', 'a'].map((hash) => people.acceptRecoveryCode('p1', hash));

      assert.deepEqual(accepted, [true, false, false, true]);
    }));
});

describe('passkeys', () => {
  const cases = [
    { stored: 0, sent: 0, isAccepted: true },
    { stored: 0, sent: 1, isAccepted: true },
    { stored: 5, sent: 6, isAccepted: true },
    { stored: 5, sent: 5, isAccepted: false },
    { stored: 5, sent: 0, isAccepted: false },
  ];
  for (const { stored, sent, isAccepted } of cases)
    it(`with counter ${stored} ${isAccepted ? 'are' : 'are not'} accepted with counter ${sent} (WebAuthn §7.2)`, () =>
      withPeople((people) => {
        const passkey: Passkey = { ...passkeyOf('p1'), counter: stored };
        people.change({ putPeople: [person('p1')], putPasskeys: [passkey], audit: audit('add') });

        assert.equal(people.passkeyUsed(passkey.id, sent, START_UNIX_MS), isAccepted);

        const after = people.passkey(passkey.id);
        assert.equal(after?.counter, isAccepted ? sent : stored);
        assert.equal(after?.lastUsedAtUnixMs, isAccepted ? START_UNIX_MS : undefined);
      }));
});

describe('sign-ins and tokens', () => {
  it('are not found from the moment at which they expire', () =>
    withPeople((people) => {
      addTwoWithEverything(people);
      const end = START_UNIX_MS + HOUR_MS;

      assert.equal(people.signIn('s-p1', end - 1)?.person, 'p1');
      assert.equal(people.signIn('s-p1', end), undefined);
      assert.equal(people.token('h-p1', end - 1)?.id, 't-p1');
      assert.equal(people.token('h-p1', end), undefined);
    }));

  it('note their use to the minute, so that a busy one does not wear the disk', () =>
    withPeople((people, revision) => {
      addTwoWithEverything(people);
      const before = revision();
      const lastUse = () => people.token('h-p1', START_UNIX_MS)?.lastUsedAtUnixMs;

      const uses = [0, 59_999, 60_000].map((afterMs) => {
        people.tokenUsed('t-p1', START_UNIX_MS + afterMs);
        return lastUse()! - START_UNIX_MS;
      });

      assert.deepEqual(uses, [0, 0, 60_000]);
      assert.equal(revision(), before);
    }));

  it('are removed by a later change when they have expired, except for tokens, which stay to be seen', () =>
    withPeople((people) => {
      addTwoWithEverything(people);

      people.change({ audit: audit('later', START_UNIX_MS + HOUR_MS) });

      assert.deepEqual([people.signIns('p1'), people.links()], [[], []]);
      assert.equal(people.tokens().length, 2);
    }));
});

describe('one-time links', () => {
  it('work once, together with what they are for', () =>
    withPeople((people) => {
      addTwoWithEverything(people);
      const take = (id: string) => people.takeLink('l-p1', { putPeople: [person(id)], audit: audit('invitation') });

      assert.equal(take('new')?.purpose, 'recovery');
      assert.equal(take('second'), undefined);

      assert.deepEqual(
        people.people().map(({ id }) => id),
        ['p1', 'p2', 'new'],
      );
    }));

  it('stay when what they are for is refused', () =>
    withPeople((people) => {
      addTwoWithEverything(people);

      const twin = person('new', { name: 'p2' });
      assert.throws(() => people.takeLink('l-p1', { putPeople: [twin], audit: audit('invitation') }), {
        code: 'ERR_VALUE',
      });

      assert.equal(people.link('l-p1', START_UNIX_MS)?.person, 'p1');
    }));

  it('change nothing after they have expired', () =>
    withPeople((people, revision) => {
      addTwoWithEverything(people);
      const before = revision();

      const late = { putPeople: [person('new')], audit: audit('invitation', START_UNIX_MS + HOUR_MS) };
      assert.equal(people.takeLink('l-p1', late), undefined);

      assert.deepEqual([people.people().length, revision()], [2, before]);
    }));
});

function addTwoWithEverything(people: PeopleTables): void {
  const ids = ['p1', 'p2'];
  people.change({
    putPeople: ids.map((id) => person(id)),
    putPasskeys: ids.map(passkeyOf),
    putSignIns: ids.map((id) => signIn(`s-${id}`, id)),
    putTokens: ids.map(tokenOf),
    putLinks: ids.map(linkOf),
    audit: audit('add'),
  });
}

function passkeyOf(id: string): Passkey {
  return {
    id: `k-${id}`,
    person: id,
    name: 'Laptop',
    publicKey: 'pQECAyYg',
    counter: 0,
    transports: ['internal'],
    createdAtUnixMs: START_UNIX_MS,
  };
}

function signIn(idHash: string, id: string): SignIn {
  return {
    idHash,
    person: id,
    method: 'password',
    createdAtUnixMs: START_UNIX_MS,
    lastUsedAtUnixMs: START_UNIX_MS,
    expiresAtUnixMs: START_UNIX_MS + HOUR_MS,
    provedAtUnixMs: START_UNIX_MS,
    address: '10.7.0.2',
    userAgent: 'Browser',
  };
}

function tokenOf(id: string): ApiToken {
  return {
    id: `t-${id}`,
    hash: `h-${id}`,
    name: 'backup',
    person: id,
    scopes: ['devices:read'],
    createdAtUnixMs: START_UNIX_MS,
    expiresAtUnixMs: START_UNIX_MS + HOUR_MS,
  };
}

function linkOf(id: string): OneTimeLink {
  return {
    hash: `l-${id}`,
    purpose: 'recovery',
    person: id,
    createdBy: 'local',
    createdAtUnixMs: START_UNIX_MS,
    expiresAtUnixMs: START_UNIX_MS + HOUR_MS,
  };
}

async function withPeople(test: (people: PeopleTables, revision: () => number) => void): Promise<void> {
  await withFolder((folder) => {
    const state = StateDatabase.open(SQLITE, join(folder, 'state.db'));
    try {
      test(state.people, () => state.audit.revision());
    } finally {
      state.database.close();
    }
  });
}
