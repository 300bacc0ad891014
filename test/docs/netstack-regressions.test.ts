import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const ROWS = 80;
/** Rows look like: | 1 | rule | `test/….test.ts`: title<br>`test/….test.ts`: title | */
const ROW = /^\| (\d+) \| [^|]+ \| (`test\/.+) \|$/;
const TEST = /^`(test\/[^`]+\.test\.ts)`: (.+)$/;

describe('docs/netstack-regressions.md', () => {
  const rows = readFileSync('docs/netstack-regressions.md', 'utf8')
    .split('\n')
    .map((line) => ROW.exec(line))
    .filter((row) => row !== null);

  it('has every row from 1 to 80, once and in order', () => {
    assert.deepEqual(
      rows.map(([, number]) => Number(number)),
      Array.from({ length: ROWS }, (_, i) => i + 1),
    );
  });

  it('names only tests that exist, and whose titles name the row', () => {
    for (const [, number, cell] of rows)
      for (const named of cell!.split('<br>')) {
        const [, file, title] = TEST.exec(named) ?? assert.fail(`row ${number}: no test in ${named}`);
        const text = readFileSync(file!, 'utf8');
        const line = text.split('\n').find((candidate) => candidate.includes(title!));
        assert.ok(line !== undefined, `row ${number}: ${file} has no test "${title}"`);
        assert.match(line, new RegExp(`\\(rows? [^)]*\\b${number}\\b`), `row ${number}: "${title}" does not name it`);
      }
  });
});
