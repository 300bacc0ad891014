import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { parseGuide } from '../lab/guide-steps.js';

const GUIDES = readdirSync('docs/guides').filter((name) => name.endsWith('.md') && name !== 'README.md');
const PAGES = ['README.md', 'ARCHITECTURE.md', ...pagesOf('docs')];

describe('docs/guides', () => {
  for (const name of GUIDES) {
    it(`${name} has a test that follows it, and names the host above every block`, () => {
      assert.ok(existsSync(`test/e2e/guides/${name.replace('.md', '.test.ts')}`));
      const steps = parseGuide(readFileSync(`docs/guides/${name}`, 'utf8'));
      assert.ok(steps.length > 2);
      for (const { machine, path = '', introduction, line } of steps) {
        assert.match(introduction, new RegExp(`\\b${machine}\\b.*:$`), `docs/guides/${name}:${line}`);
        assert.ok(introduction.includes(path) || introduction.includes('The same file'), `${name}:${line}`);
      }
    });
  }

  it('refuses a block that nobody would run', () => {
    assert.throws(() => parseGuide('# Title\n\n```sh\nwiretype up wg0\n```\n'), /line 3/);
  });

  it('are all in their list', () => {
    const list = readFileSync('docs/guides/README.md', 'utf8');
    for (const name of GUIDES) assert.ok(list.includes(`](${name})`), name);
  });
});

describe('links between the pages', () => {
  for (const page of PAGES) {
    it(`of ${page} lead to files`, () => {
      for (const [, target] of readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g))
        assert.ok(existsSync(join(dirname(page), target!)), `${page}: ${target}`);
    });
  }
});

function pagesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}
