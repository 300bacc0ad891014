import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

/** The last cell of a row: `test/….test.ts`: title, or the part of the title that does not vary. */
const TEST_CELL = /\| `(test\/[^`]+\.ts)`: (.+) \|$/;

describe('docs/regressions.md', () => {
  it('names a test that exists for every mistake', () => {
    const rows = readFileSync('docs/regressions.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| what went wrong'));
    assert.ok(rows.length > 70, 'the rows were read');

    for (const row of rows) {
      const [, file, title] = TEST_CELL.exec(row) ?? assert.fail(`no test in: ${row}`);
      assert.ok(readFileSync(file!, 'utf8').includes(title!), `${file} has no test "${title}"`);
    }
  });
});
