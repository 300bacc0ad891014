import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { main } from '../../../src/cli/main.js';

describe('wiretype completion', () => {
  for (const [shell, file] of [
    ['bash', 'wiretype.bash'],
    ['zsh', '_wiretype'],
    ['fish', 'wiretype.fish'],
  ] as const) {
    it(`writes the script for ${shell} that is in the package`, async () => {
      assert.deepEqual(await run('completion', shell), {
        status: 0,
        out: readFileSync(`completions/${file}`, 'utf8'),
      });
    });
  }

  it('knows no other shell', async () => {
    for (const args of [[], ['tcsh'], ['bash', 'zsh'], ['words']]) {
      assert.equal((await run('completion', ...args)).status, 2);
    }
  });

  it('answers the scripts: whether files can stand there, then a line for each word', async () => {
    const { out } = await run('completion', 'words', '--', '/usr/bin/wiretype', 'completion', '');
    assert.equal(out, 'words\nbash\t\nzsh\t\nfish\t\n');
    assert.match((await run('completion', 'words', '--', 'wiretype', 'setconf', 'wg0', '')).out, /^files \.conf\n$/);
    assert.match((await run('completion', 'words', '--', 'wiretype')).out, /^words\nup\tBring an interface up/);
  });

  it('is not misled by an option among the words that it is asked about', async () => {
    const { out } = await run('completion', 'words', '--', 'wiretype', 'up', '--help', '');
    assert.match(out, /^files \.conf\n/);
  });
});

async function run(...argv: string[]): Promise<{ status: number; out: string }> {
  let out = '';
  const status = await main(argv, {
    readInput: async () => '',
    write(text) {
      out += text;
    },
    writeError: () => {},
    columns: undefined,
    deliver: async () => true,
    interruption: () => new AbortController().signal,
  });
  return { status, out };
}
