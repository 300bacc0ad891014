import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

import { missingLine } from '../lab/guide-output.js';
import { parseGuide } from '../lab/guide-steps.js';

const TRANSLATED = '.zh-CN.md';
const FILES = readdirSync('docs/guides').filter((name) => name.endsWith('.md') && name !== 'README.md');
const GUIDES = FILES.filter((name) => !name.endsWith(TRANSLATED));
const TRANSLATIONS = FILES.filter((name) => name.endsWith(TRANSLATED));
const PAGES = ['README.md', 'ARCHITECTURE.md', ...pagesOf('docs')];

describe('docs/guides', () => {
  for (const name of GUIDES) {
    it(`${name} has a test that follows it, and names the host above every block`, () => {
      assert.ok(existsSync(`test/e2e/guides/${name.replace('.md', '.test.ts')}`));
      const steps = parseGuide(readFileSync(`docs/guides/${name}`, 'utf8'));
      assert.ok(steps.length > 2);
      for (const { machine, path = '', introduction, line, keepsRunning, shown } of steps) {
        assert.ok(!keepsRunning || shown !== undefined, `docs/guides/${name}:${line}: says when it is ready`);
        assert.match(introduction, new RegExp(`\\b${machine}\\b.*:$`), `docs/guides/${name}:${line}`);
        assert.ok(introduction.includes(path) || introduction.includes('The same file'), `${name}:${line}`);
      }
    });
  }

  for (const name of TRANSLATIONS) {
    it(`${name} has the commands and the output of the English page`, () => {
      const blocksOf = (file: string) =>
        parseGuide(readFileSync(`docs/guides/${file}`, 'utf8')).map(
          ({ section: _, line: __, introduction: ___, ...block }) => block,
        );
      assert.deepEqual(blocksOf(name), blocksOf(name.replace(TRANSLATED, '.md')));
    });
  }

  it('show output that need not be the same in its figures', () => {
    const shown = 'ben   10.1.0.3  3 s ago\n…\n3 packets, 0% loss, time …\n';
    assert.equal(missingLine(shown, 'x\nben 10.9.0.33   12 s ago\n\n4 packets, 0% loss, time 2ms\n'), undefined);
    assert.equal(missingLine(shown, 'ben 10.9.0.33 12 s ago\nall packets, 0% loss, time 2ms\n'), shown.split('\n')[2]);
  });

  it('refuses a block that nobody would run', () => {
    assert.throws(() => parseGuide('# Title\n\n```sh\nwiretype up wg0\n```\n'), /line 3/);
  });

  it('are all in their list', () => {
    const list = readFileSync('docs/guides/README.md', 'utf8');
    for (const name of FILES) assert.ok(list.includes(`](${name})`), name);
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
