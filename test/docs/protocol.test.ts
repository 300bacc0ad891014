import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

/** Rows look like: | § | rule | `src/…` | `test/….test.ts`: title | */
const TEST_CELL = /`(test\/[^`]+\.test\.ts)`: (.+)$/;

describe('docs/protocol.md', () => {
  const text = readFileSync('docs/protocol.md', 'utf8');

  it('names only files that exist', () => {
    for (const [, file] of text.matchAll(/`((?:src|test|docs)\/[^`]+)`/g))
      assert.ok(existsSync(file), `${file} is named, but there is no such file`);
  });

  it('names only tests that exist', () => {
    const rows = text.split('\n').map((line) => TEST_CELL.exec(line.split(' | ').at(-1)?.replace(/ \|$/, '') ?? ''));
    const found = rows.filter((row) => row !== null);
    assert.ok(found.length > 30, 'the rows were read');
    for (const [, file, title] of found)
      assert.ok(readFileSync(file, 'utf8').includes(title), `${file} has no test "${title}"`);
  });
});
