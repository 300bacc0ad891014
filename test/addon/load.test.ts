import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { isMusl, prebuiltName } from '../../src/addon/load.js';

const LOADER = JSON.stringify(new URL('../../src/addon/load.js', import.meta.url).href);
const PROGRAM = `
  import { loadAddon } from ${LOADER};
  try {
    console.log(JSON.stringify({ functions: Object.keys(loadAddon()).length }));
  } catch ({ name, code, message, cause }) {
    console.log(JSON.stringify({ name, code, message, hasCause: cause instanceof Error }));
  }
`;
const MISSING = { name: 'AddonMissingError', code: 'ERR_ADDON_MISSING' };

interface Outcome {
  readonly functions?: number;
  readonly message?: string;
}

describe('loadAddon', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype addon ö '));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('says plainly that there is none for this system, with a code', () => {
    const { message, ...rest } = load({ WIRETYPE_PREBUILD: folder });

    assert.deepEqual(rest, { ...MISSING, hasCause: false });
    assert.equal(
      message,
      `The native addon could not be loaded: there is none for this system (${prebuiltName(process.platform, process.arch, isMusl())})`,
    );
  });

  it('says why the system refused one, with the reason as cause', () => {
    place(join(folder, 'build/wiretype.node'), (file) => writeFileSync(file, 'not a program'));

    const { message, ...rest } = load({ WIRETYPE_PREBUILD: folder });

    assert.deepEqual(rest, { ...MISSING, hasCause: true });
    assert.match(message!, /^The native addon could not be loaded: .*wiretype\.node: /);
  });

  for (const path of ['build/wiretype.node', `prebuilds/${prebuiltName(process.platform, process.arch, isMusl())}`])
    it(`finds ${path.split('/')[0]}/ in the folder of WIRETYPE_PREBUILD`, () => {
      place(join(folder, path), (file) => copyFileSync(addonOfThisRun(), file));

      assert.ok(load({ WIRETYPE_PREBUILD: folder }).functions! > 30);
    });

  it('does without one where WIRETYPE_NO_ADDON is 1', () => {
    const { message, ...rest } = load({ WIRETYPE_NO_ADDON: '1' });

    assert.deepEqual(rest, { ...MISSING, hasCause: false });
    assert.match(message!, /WIRETYPE_NO_ADDON is 1/);
  });

  it('names prebuilt addons by system, processor and C library', () => {
    assert.equal(prebuiltName('linux', 'arm64', true), 'linux-arm64/wiretype.musl.node');
    assert.equal(prebuiltName('linux', 'x64', false), 'linux-x64/wiretype.glibc.node');
  });
});

function load(env: Readonly<Record<string, string>>): Outcome {
  const options = { env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], options)) as Outcome;
}

function place(file: string, write: (file: string) => void): void {
  mkdirSync(dirname(file), { recursive: true });
  write(file);
}

/** The file that the addon of this process came from, whatever `WIRETYPE_PREBUILD` is. */
function addonOfThisRun(): string {
  const program = `
    import { loadAddon } from ${LOADER};
    loadAddon();
    console.log(process.report.getReport().sharedObjects.find((path) => path.endsWith('.node')));
  `;
  return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
}
