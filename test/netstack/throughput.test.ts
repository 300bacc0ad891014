import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { throughputPage } from './throughput.js';

describe('docs/netstack-throughput.md', () => {
  it('has the rates that the stack reaches now; node scripts/netstack-throughput.mjs writes it', () => {
    const lines = (text: string): string[] => text.split('\n');
    assert.deepEqual(lines(throughputPage()), lines(readFileSync('docs/netstack-throughput.md', 'utf8')));
  });
});
