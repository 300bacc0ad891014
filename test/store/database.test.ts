import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { Database } from '../../src/store/database.js';
import { SQLITE, withFolder } from './samples.js';

describe('a database file', () => {
  it('keeps all of a transaction, or nothing', () =>
    withFile((database) => {
      database.exec('CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT');

      const attempt = () =>
        database.transaction(() => {
          database.statement('INSERT INTO t VALUES (1)').run();
          throw new Error('second thoughts');
        });

      assert.throws(attempt, /second thoughts/);
      assert.deepEqual(database.statement('SELECT n FROM t').all(), []);
      database.transaction(() => database.statement('INSERT INTO t VALUES (2)').run());
      assert.equal(database.statement('SELECT n FROM t').get()?.['n'], 2);
    }));

  it('refuses a commit on a full disk with nothing half, and takes later ones', () =>
    withFile((database) => {
      database.exec('CREATE TABLE t (text TEXT NOT NULL) STRICT');
      database.exec(`PRAGMA max_page_count = ${database.numberOf('page_count') + 4}`);
      const add = (rows: number) =>
        database.transaction(() => {
          for (let row = 0; row < rows; row++) database.statement('INSERT INTO t VALUES (?)').run('x'.repeat(1_000));
        });

      add(3);
      assert.throws(() => add(100), { code: 'ERR_STORE_FULL', message: `${database.path}: the disk is full` });

      assert.equal(database.statement('SELECT count(*) AS n FROM t').get()?.['n'], 3);
      add(1);
      database.exec('PRAGMA max_page_count = 1000');
      add(100);
      assert.equal(database.statement('SELECT count(*) AS n FROM t').get()?.['n'], 104);
      database.check();
    }));

  it('is readable for its owner alone, with its log', () =>
    withFolder((folder) => {
      const database = Database.open(SQLITE, join(folder, 'x.db'), 'FULL');
      database.exec('CREATE TABLE t (n INTEGER) STRICT');

      const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);

      assert.deepEqual(modes, [
        ['x.db', 0o600],
        ['x.db-wal', 0o600],
      ]);
      database.close();
    }));

  it('has a write-ahead log, synced at each commit where it must not lose any', () =>
    withFile((database) => {
      const pragma = (name: string) => Object.values(database.statement(`PRAGMA ${name}`).get()!)[0];

      assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')], ['wal', 2, 1]);
    }));

  it('is refused as damaged where it is no database', () =>
    withFolder((folder) => {
      const path = join(folder, 'x.db');
      writeFileSync(path, 'no database at all '.repeat(300));

      assert.throws(() => Database.open(SQLITE, path, 'FULL'), {
        code: 'ERR_STORE_DAMAGED',
        message: /x\.db is damaged/,
      });
    }));

  it('is refused with the reason of the system where its folder is missing', () =>
    withFolder((folder) => {
      const path = join(folder, 'missing/x.db');

      assert.throws(() => Database.open(SQLITE, path, 'FULL'), { code: 'ERR_STORE_FILE', message: /ENOENT/ });
    }));

  it('names what two records have in common that they must not', () =>
    withFile((database) => {
      database.exec('CREATE TABLE devices (public_key TEXT UNIQUE) STRICT');
      const add = () => database.transaction(() => database.statement("INSERT INTO devices VALUES ('a')").run());
      add();

      assert.throws(add, { code: 'ERR_VALUE', message: 'two devices cannot have the same public key' });
    }));
});

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
