import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { StateDatabase } from '../../src/store/state-database.js';
import { audit, SQLITE, START_UNIX_MS, withFolder } from './samples.js';

describe('the audit log', () => {
  it('chains each line to the line before, with SHA-256 over both', () =>
    withLog(({ audit: log }) => {
      const [, second, first] = log.lines(3);

      const hash = (before: string, line: string) => createHash('sha256').update(`["${before}",${line}]`).digest('hex');
      const firstHash = hash('', `1,${START_UNIX_MS},"local","a",null,"{\\"n\\":1}"`);
      assert.equal(first?.hash, firstHash);
      assert.equal(second?.hash, hash(firstHash, `2,${START_UNIX_MS},"anna","b","d1","{}"`));
    }));

  it('is intact as it was written, and has its last hash to be noted elsewhere', () =>
    withLog(({ audit: log }) => {
      assert.deepEqual(log.verify(), { isIntact: true, lines: 3, hash: log.lines(1)[0]?.hash });
    }));

  it('refuses statements that change or remove a line', () =>
    withLog(({ database }) => {
      assert.throws(() => database.exec("UPDATE audit SET actor = 'nobody'"), /do not change/);
      assert.throws(() => database.exec('DELETE FROM audit'), /stay/);
    }));

  const forgeries = {
    'whose actor was changed': ["UPDATE audit SET actor = 'nobody' WHERE number = 2", 2],
    'whose details were changed': [`UPDATE audit SET details = '{"n":2}' WHERE number = 1`, 1],
    'whose time was changed': ['UPDATE audit SET at_unix_ms = 7 WHERE number = 3', 3],
    'that is missing': ['DELETE FROM audit WHERE number = 2', 2],
    'that is missing at the end': ['DELETE FROM audit WHERE number = 3', 3],
  } as const;
  for (const [what, [sql, brokenAt]] of Object.entries(forgeries))
    it(`names the first line ${what}`, () =>
      withLog(({ database, audit: log }) => {
        database.exec(`DROP TRIGGER audit_keeps_its_lines; DROP TRIGGER audit_loses_no_line; ${sql}`);

        assert.deepEqual(log.verify(), { isIntact: false, brokenAt });
      }));

  it('is read from the newest on, page by page', () =>
    withLog(({ audit: log }) => {
      const page = log.lines(2);
      const rest = log.lines(2, page.at(-1)!.number);

      assert.deepEqual(
        [...page, ...rest].map(({ number, operation }) => [number, operation]),
        [
          [3, 'c'],
          [2, 'b'],
          [1, 'a'],
        ],
      );
      assert.deepEqual(rest[0]?.details, { n: 1 });
      assert.equal(page[1]?.object, 'd1');
    }));
});

async function withLog(test: (state: StateDatabase) => void): Promise<void> {
  await withFolder((folder) => {
    const state = StateDatabase.open(SQLITE, join(folder, 'state.db'));
    state.commit({ audit: { ...audit('a'), details: { n: 1 } } });
    state.commit({ audit: { ...audit('b'), actor: 'anna', object: 'd1' } });
    state.commit({ audit: audit('c') });
    try {
      test(state);
    } finally {
      state.database.close();
    }
  });
}
