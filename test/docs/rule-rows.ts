import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';

/** The last cell of a row: | rule | `src/…` | `test/….test.ts`: title | */
const TEST_CELL = /`(test\/[^`]+\.test\.ts)`: (.+)$/;

/** Requires that every file that a page names exists. */
export function assertFilesExist(page: string): void {
  for (const [, file] of readFileSync(page, 'utf8').matchAll(/`((?:src|test|docs)\/[^`]+)`/g))
    assert.ok(existsSync(file!), `${file} is named, but there is no such file`);
}

/** Requires that every test that a row of a page names exists. @returns The number of such rows. */
export function assertTestsExist(page: string): number {
  const rows = readFileSync(page, 'utf8').split('\n');
  const found = rows
    .map((line) => TEST_CELL.exec(line.split(' | ').at(-1)?.replace(/ \|$/, '') ?? ''))
    .filter((row) => row !== null);
  for (const [, file, title] of found)
    assert.ok(readFileSync(file!, 'utf8').includes(title!), `${file} has no test "${title}"`);
  return found.length;
}
