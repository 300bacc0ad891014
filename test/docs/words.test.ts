import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const FOLDERS = ['src', 'native', 'bench', 'scripts', 'test'];
const SOURCE = /\.(?:ts|mjs|c|h)$/;

/** Matches block comments, and line comments together with the lines that continue them. */
const COMMENT = /\/\*([\s\S]*?)\*\/|(?:^|\s)\/\/ (.*(?:\n\s*\/\/ .*)*)/gm;

const FRAGMENT = /^(?:Of|In|As|And|With|Made|What)\b/;

/** Matches the pronoun without the person in front of it. */
const BARE_WHO = /(?<!\b(?:those|people|users|anyone|everyone|somebody|nobody|everybody|person|someone) )\bwho\b/i;

describe('the words of comments (CONTRIBUTING.md, "English")', () => {
  const comments = FOLDERS.flatMap(sourceFiles).flatMap(commentsOf);

  it('begin no comment with Of, In, As, And, With, Made or What', () => {
    assertNone(FRAGMENT, 'A comment is a sentence or a noun phrase. Begin these with their subject or a verb');
  });

  it('have no bare "who"', () => {
    assertNone(BARE_WHO, 'Write "whoever", "a peer that" or "a sender that"');
  });

  function assertNone(offence: RegExp, advice: string): void {
    const found = comments.filter(({ text }) => offence.test(text)).map(({ place, text }) => `${place}: ${text}`);
    assert.deepEqual(found, [], `${advice}:\n${found.join('\n')}\n`);
  }
});

interface Comment {
  readonly place: string;
  readonly text: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => SOURCE.test(name))
    .map((name) => `${folder}/${name}`);
}

function commentsOf(file: string): Comment[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(COMMENT)].map((match) => ({
    place: `${file}:${source.slice(0, match.index).split('\n').length}`,
    text: (match[1] ?? match[2] ?? '')
      .replace(/\n\s*(?:\*|\/\/)? ?/g, ' ')
      .replace(/^[*\s]+/, '')
      .trim(),
  }));
}
