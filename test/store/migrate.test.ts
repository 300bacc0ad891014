import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Database } from '../../src/store/database.js';
import { migrate } from '../../src/store/migrate.js';
import { StateDatabase } from '../../src/store/state-database.js';
import { STATE_MIGRATIONS } from '../../src/store/state-schema.js';
import { StatsDatabase } from '../../src/store/stats-database.js';
import { STATS_MIGRATIONS } from '../../src/store/stats-schema.js';
import { SQLITE, VirtualClock, withFolder } from './samples.js';

const FIXTURES = 'test/store/fixtures';
const STEPS = [
  'CREATE TABLE t (n INTEGER) STRICT; INSERT INTO t VALUES (1)',
  'UPDATE t SET n = n + 10',
  'UPDATE t SET n = n + 100',
];

describe('migrations', () => {
  it('lead from any version to the newest, each step once', () =>
    withFile((database) => {
      migrate(database, STEPS.slice(0, 2));
      migrate(database, STEPS);
      migrate(database, STEPS);

      assert.equal(database.statement('SELECT n FROM t').get()?.['n'], 111);
      assert.equal(database.numberOf('user_version'), 3);
    }));

  it('leave a file at the version whose step fails, with nothing of that step', () =>
    withFile((database) => {
      assert.throws(() => migrate(database, [STEPS[0]!, `${STEPS[1]}; UPDATE missing SET n = 1`]), /no such table/);

      assert.equal(database.statement('SELECT n FROM t').get()?.['n'], 1);
      assert.equal(database.numberOf('user_version'), 1);
    }));

  it('go forward only: a file of a later version is refused and left as it is', () =>
    withFile((database) => {
      migrate(database, STEPS);

      assert.throws(() => migrate(database, STEPS.slice(0, 2)), {
        code: 'ERR_STORE_NEWER',
        message: `${database.path} has version 3, and this wiretype reads up to 2`,
      });
      assert.equal(database.numberOf('user_version'), 3);
    }));

  it('announce a change of a file that has content, and of no other', () =>
    withFile((database) => {
      const versions: number[] = [];
      const note = () => versions.push(database.numberOf('user_version'));

      migrate(database, STEPS.slice(0, 1), note);
      migrate(database, STEPS, note);
      migrate(database, STEPS, note);

      assert.deepEqual(versions, [1]);
    }));

  it('have a fixture of each released version of both files', () => {
    const versions = (count: number, name: string) => Array.from({ length: count }, (_, n) => `${name}-v${n + 1}.sql`);

    assert.deepEqual(fixtures('s'), [
      ...versions(STATE_MIGRATIONS.length, 'state'),
      ...versions(STATS_MIGRATIONS.length, 'stats'),
    ]);
  });

  for (const name of fixtures('state'))
    it(`keep what ${name} has`, () =>
      withFixture(name, (path) => {
        const state = StateDatabase.open(SQLITE, path);

        assert.equal(state.database.numberOf('user_version'), STATE_MIGRATIONS.length);
        assert.deepEqual(state.load(), JSON.parse(readFileSync('test/store/fixtures/state.json', 'utf8'), reviveBytes));
        assert.deepEqual(state.audit.verify(), { isIntact: true, lines: 3, hash: state.audit.lines(1)[0]?.hash });
        const owner = state.people.personNamed('ANNA');
        assert.deepEqual([owner?.role, owner?.totp?.lastStep], ['owner', 58_804_000]);
        assert.equal(state.people.passkeys('p1').length, 1);
        assert.equal(state.people.signIns('p1').length, 1);
        assert.equal(state.people.tokens()[0]?.name, 'backup');
        assert.equal(state.people.links()[0]?.purpose, 'invitation');
        assert.equal(state.webhooks.deliveries('w1', 9).length, 1);
        state.database.close();
      }));

  for (const name of fixtures('stats'))
    it(`keep what ${name} has`, () =>
      withFixture(name, (path) => {
        const stats = StatsDatabase.open(SQLITE, path, new VirtualClock());

        assert.equal(stats.database.numberOf('user_version'), STATS_MIGRATIONS.length);
        const query = { fromUnixMs: 0, toUnixMs: Date.UTC(2027, 0, 1), buckets: 400 };
        assert.deepEqual(
          stats.traffic('d0', query).map(({ receivedBytes, sentBytes }) => [receivedBytes, sentBytes]),
          [[6_000, 60_000]],
        );
        assert.equal(stats.sessions('d0', 0, query.toUnixMs).length, 1);
        stats.database.close();
      }));
});

function fixtures(prefix: string): string[] {
  return readdirSync(FIXTURES)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.sql'))
    .sort();
}

async function withFile(test: (database: Database) => void): Promise<void> {
  await withFolder((folder) => {
    const database = Database.open(SQLITE, join(folder, 'x.db'), 'FULL');
    try {
      test(database);
    } finally {
      database.close();
    }
  });
}

/** Makes a file from the dump of one that a version of wiretype wrote. */
async function withFixture(name: string, test: (path: string) => void): Promise<void> {
  await withFolder((folder) => {
    const path = join(folder, 'x.db');
    const connection = SQLITE(path);
    connection.exec(readFileSync(join(FIXTURES, name), 'utf8'));
    connection.close();
    test(path);
  });
}

function reviveBytes(_key: string, value: unknown): unknown {
  const isBytes = typeof value === 'object' && value !== null && 'bytes' in value;
  return isBytes ? Uint8Array.from(value.bytes as number[]) : value;
}
