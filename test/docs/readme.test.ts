import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../src/cli/command-table.js';
import { parseDaemonCall } from '../../src/cli/daemon/options.js';

const ENGLISH = readFileSync('README.md', 'utf8');
const CHINESE = readFileSync('README.zh-CN.md', 'utf8');

describe('README.md and README.zh-CN.md', () => {
  it('have the same headings, in number, level and order', () => {
    assert.deepEqual(headingLevels(CHINESE), headingLevels(ENGLISH));
  });

  it('have the same blocks of commands and code, but for the comments', () => {
    assert.notEqual(codeBlocks(ENGLISH).length, 0);
    assert.deepEqual(codeBlocks(CHINESE), codeBlocks(ENGLISH));
  });

  it('have the same tables, in rows and columns', () => {
    assert.deepEqual(tableShapes(CHINESE), tableShapes(ENGLISH));
  });

  it('name the same programs, files and words of the command line', () => {
    assert.deepEqual(codeSpans(CHINESE), codeSpans(ENGLISH));
  });

  it('link each other', () => {
    assert.ok(ENGLISH.includes('](README.zh-CN.md)'));
    assert.ok(CHINESE.includes('](README.md)'));
  });

  for (const [name, text] of Object.entries({ 'README.md': ENGLISH, 'README.zh-CN.md': CHINESE })) {
    it(`${name}: every file that is linked or named is there`, () => {
      const linked = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, file]) => file!);
      const named = [...text.matchAll(/`((?:docs|src|man|schema|bin)\/[\w./-]*|[A-Z]+\.md)`/g)].map(
        ([, file]) => file!,
      );
      assert.notEqual(linked.length, 0);
      for (const file of [...linked, ...named]) assert.ok(existsSync(file), file);
    });
  }

  it('show commands that there are, with options that they have', async () => {
    const lines = codeBlocks(ENGLISH).join('\n').split('\n');
    const calls = lines.flatMap((line) => /(?<![\w/=-])(wiretyped?) (.*?)(?:\)| \||$)/.exec(line)?.slice(1, 3) ?? []);
    for (let i = 0; i < calls.length; i += 2) await assertExists(calls[i]!, calls[i + 1]!.split(/\s+/));
  });
});

async function assertExists(program: string, [name = '', ...words]: readonly string[]): Promise<void> {
  if (program === 'wiretyped') {
    assert.equal(parseDaemonCall([name], {}).kind, 'run');
    return;
  }
  const entry = COMMANDS.find((command) => command.name === name);
  if (name.startsWith('/')) return; // the target of a link
  assert.ok(entry !== undefined, `wiretype ${name}`);
  const { options } = (await entry.load()).manual;
  for (const word of words) {
    if (word.startsWith('--')) assert.ok(word.slice(2) in options, `wiretype ${name} ${word}`);
  }
}

function headingLevels(text: string): number[] {
  return [...withoutCode(text).matchAll(/^(#+) /gm)].map(([, marks]) => marks!.length);
}

/** Without comments, which are translated, and the spaces in front of them. */
function codeBlocks(text: string): string[] {
  return [...text.matchAll(/^```.*\n([\s\S]*?)^```$/gm)].map(([, code]) =>
    code!.replace(/^(.*?\S)? *# .*$/gm, '$1').replace(/^ *\/\/.*\n/gm, ''),
  );
}

function tableShapes(text: string): number[] {
  const rows = withoutCode(text).split('\n');
  return rows.filter((line) => line.startsWith('|')).map((row) => row.split('|').length);
}

function codeSpans(text: string): string[] {
  return [...new Set([...withoutCode(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!))].sort();
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```$/gm, '');
}
