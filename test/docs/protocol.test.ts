import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { assertFilesExist, assertTestsExist } from './rule-rows.js';

describe('docs/protocol.md', () => {
  it('names only files that exist', () => {
    assertFilesExist('docs/protocol.md');
  });

  it('names only tests that exist', () => {
    assert.ok(assertTestsExist('docs/protocol.md') > 30, 'the rows were read');
  });
});
