import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';

import { COMMANDS } from '../../src/cli/command-table.js';
import { DAEMON_MANUAL } from '../../src/cli/daemon/daemon-manual.js';
import { formatHelp } from '../../src/cli/format-help.js';

const PAGES = ['man/wiretype.1', 'man/wiretyped.8'];
const hasMandoc = (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'mandoc')));
const skip = !hasMandoc && process.env['CI'] === undefined && 'mandoc is not installed';

describe('manual pages', () => {
  it('are what scripts/manuals.mjs makes of the manuals in the code', () => {
    const { status, stderr } = run(process.execPath, 'scripts/manuals.mjs', '--check');
    assert.equal(status, 0, stderr);
  });

  it('are part of the package', () => {
    const { man, files } = JSON.parse(readFileSync('package.json', 'utf8')) as { man: string[]; files: string[] };
    assert.deepEqual(
      man.map((page) => page.replace(/^\.\//, '')),
      PAGES,
    );
    for (const folder of ['man', 'completions', 'schema']) assert.ok(files.includes(folder), folder);
  });

  it('have no fault that mandoc knows of', { skip }, () => {
    assert.equal(run('mandoc', '-T', 'lint', ...PAGES).stdout, '');
  });

  it('have everything that --help lists: commands, options, variables, examples', { skip }, async () => {
    const tools = render('man/wiretype.1');
    for (const { name, load } of COMMANDS) {
      const { manual } = await load();
      assertHas(tools, name, formatHelp(`wiretype ${name}`, manual));
    }
    assertHas(render('man/wiretyped.8'), 'wiretyped', formatHelp('wiretyped', DAEMON_MANUAL));
  });
});

/** Every line of the help that starts a list or is an example starts with what the page has to have. */
function assertHas(page: string, name: string, help: string): void {
  const terms = help.split('\n').flatMap((line) => /^ {2}(\S.*?)(?: {2,}|$)/.exec(line)?.[1] ?? []);
  assert.notEqual(terms.length, 0);
  for (const term of terms) assert.ok(page.includes(`\n${term}`), `${name}: ${term}`);
}

/** The page as text, without indentation; lines wide enough that none breaks. */
function render(page: string): string {
  const { stdout } = run('mandoc', '-T', 'ascii', '-O', 'width=400', page);
  return stdout
    .replace(/.[\b]/g, '')
    .replace(/^ +/gm, '')
    .replace(/(?<=\S) {2,}/g, '\n');
}

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
