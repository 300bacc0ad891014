import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { ERROR_CODES } from '../../src/core/errors.js';

describe('docs/errors.md', () => {
  const rows = readFileSync('docs/errors.md', 'utf8')
    .split('\n')
    .map((line) => /^\| `(ERR_\w+)` \| .+ \| (.+) \|$/.exec(line))
    .filter((row) => row !== null)
    .map(([, code, advice]) => [code, advice] as const);

  it('has a row for every code of the table, and for nothing else', () => {
    assert.deepEqual(rows.map(([code]) => code).sort(), Object.keys(ERROR_CODES).sort());
  });

  it('gives the advice that the programs give', () => {
    for (const [code, advice] of rows) assert.equal(advice, ERROR_CODES[code as keyof typeof ERROR_CODES], code);
  });
});
