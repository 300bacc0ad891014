import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { assertFilesExist, assertTestsExist } from './rule-rows.js';

const PAGE = 'docs/netstack.md';

describe(PAGE, () => {
  const rows = readFileSync(PAGE, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/\| rule \| file|\| problem \| file/.test(line));

  it('names only files that exist', () => {
    assertFilesExist(PAGE);
  });

  it('names only tests that exist, one in each row that is offered', () => {
    const offered = rows.filter((row) => !row.includes('not offered: '));
    assert.equal(assertTestsExist(PAGE), offered.length);
    assert.ok(offered.length > 200, 'the rows were read');
  });

  it('has a row for each of the 18 problems of RFC 2525, and for each requirement of RFC 9293 Appendix B', () => {
    const firstCells = rows.map((row) => row.split(' | ')[0]!.slice(2));
    for (let problem = 1; problem <= 18; problem++) assert.ok(firstCells.includes(`2.${problem}`), `2.${problem}`);
    const items = new Set(firstCells.flatMap((cell) => cell.match(/(?:MUST|SHLD|MAY|REC)-\d+/g) ?? []));
    for (const [kind, count] of [
      ['MUST', 69],
      ['SHLD', 31],
      ['MAY', 18],
      ['REC', 1],
    ] as const)
      for (let number = 1; number <= count; number++) assert.ok(items.has(`${kind}-${number}`), `${kind}-${number}`);
  });
});
