import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../src/cli/command-table.js';
import { DAEMON_MANUAL } from '../../src/cli/daemon/daemon-manual.js';
import { formatHelp, wrap } from '../../src/cli/format-help.js';
import type { Manual } from '../../src/cli/manual.js';

const PLAIN: Manual = { usage: 'WORD', about: 'Does it.', words: [], options: {}, examples: ['it WORD'] };

describe('formatHelp', () => {
  it('writes the usage, what it is about, the lists and the examples', () => {
    const manual: Manual = {
      ...PLAIN,
      usage: 'WORD\n[more]',
      about: '\nFirst\nparagraph.\n\nSecond.\n',
      words: [{ name: 'WORD', about: 'a word' }, { name: 'SILENT' }],
      options: {
        json: { type: 'boolean', about: 'as JSON' },
        out: { type: 'string', short: 'o', value: 'FILE', about: 'where' },
      },
      environment: { VARIABLE: 'changes it' },
      notes: 'More.',
      examples: ['it one', 'it two'],
    };
    assert.equal(
      formatHelp('it', manual),
      `Usage: it WORD
          [more]

First paragraph.

Second.

  WORD            a word
  --json          as JSON
  -o, --out FILE  where

More.

Environment:
  VARIABLE  changes it

Examples:
  it one
  it two
`,
    );
  });

  it('leaves out what there is not', () => {
    assert.equal(formatHelp('it', PLAIN), 'Usage: it WORD\n\nDoes it.\n\nExample:\n  it WORD\n');
  });

  it('fits the terminal, and breaks usage only outside of brackets', () => {
    const usage = 'FIRST [--long-option VALUE] [--other-option [NESTED VALUE]] LAST';
    const manual = { ...PLAIN, usage, about: 'word '.repeat(40) };
    for (const columns of [50, 60, 80]) {
      const lines = formatHelp('it', manual, columns).split('\n');
      assert.ok(lines.every((line) => line.length <= columns));
      for (const unit of ['[--long-option VALUE]', '[--other-option [NESTED VALUE]]'])
        assert.ok(lines.some((line) => line.includes(unit)));
    }
    assert.ok(
      formatHelp('it', manual, 300)
        .split('\n')
        .every((line) => line.length <= 100),
    );
  });

  it('breaks lines between words', () => {
    assert.deepEqual(wrap('a bb ccc dddddd e', 6), ['a bb', 'ccc', 'dddddd', 'e']);
  });
});

describe('the help of every command', () => {
  for (const { name, load } of COMMANDS) {
    it(`of ${name}: teaches with examples, and names every word and option in the usage`, async () => {
      const { manual } = await load();
      assertTeaches(`wiretype ${name}`, manual);
      for (const word of manual.words) assert.ok(manual.usage.includes(word.name), word.name);
    });
  }

  it('of wiretyped', () => assertTeaches('wiretyped', DAEMON_MANUAL));
});

function assertTeaches(program: string, manual: Manual): void {
  const { usage, options, examples } = manual;
  assert.ok(
    examples.some((line) => line.includes(program)),
    'an example of its own',
  );
  for (const [name, { about }] of Object.entries(options)) {
    const isUniversal = name === 'help' || name === 'version';
    assert.ok(isUniversal || usage.includes('[options]') || usage.includes(`--${name}`), `--${name} in the usage`);
    assert.match(about, /[^.\s]$/, 'phrases without a full stop');
  }
  const prose = formatHelp(program, manual).split('\n\nExample', 1)[0]!;
  for (const line of prose.split('\n')) assert.ok(line.length <= 100, line);
}
