import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { attempt, type RunResult } from '../lab/program.js';

const TIMEOUT_MS = 240_000;
/** Makes the Node that runs it claim to be an old one. */
const OLD_NODE = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } });\n`;

describe('setup.mjs', () => {
  let folder: string;
  let checkout: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wiretype-setup-'));
    checkout = join(folder, `a 'checkout' 隧道`);
    mkdirSync(join(checkout, 'dist/src'), { recursive: true });
    for (const path of ['scripts', 'native', 'package.json', 'package-lock.json'])
      cpSync(path, join(checkout, path), { recursive: true, preserveTimestamps: true });
    writeFileSync(join(checkout, 'tsconfig.json'), '{ "files": ["module.ts"], "compilerOptions": { "types": [] } }');
    writeFileSync(join(checkout, 'module.ts'), 'export {};');
    writeFileSync(join(folder, 'old-node.cjs'), OLD_NODE);
    mkdirSync(join(folder, 'empty'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('names the version of Node that it needs, and the one that runs it', async () => {
    const { status, stderr } = await setup({}, '--require', join(folder, 'old-node.cjs'));

    assert.equal(status, 1);
    assert.match(stderr, /^setup: wiretype needs Node 20\.19\.0 or later; \S.* is 18\.20\.4\n$/);
  });

  it('names npm where it is missing', async () => {
    const { status, stderr } = await setup({ PATH: join(folder, 'empty') });

    assert.equal(status, 1);
    assert.match(stderr, /^setup: npm is missing: .*\n$/);
  });

  it('ends with its advice, and installs nothing, where WIRETYPE_NO_APT is 1 and the compiler is missing', async () => {
    lendModules();

    const { status, stderr } = await setup({ PATH: join(folder, 'empty'), WIRETYPE_NO_APT: '1' });

    assert.equal(status, 1);
    assert.match(stderr, /^setup: missing: gcc.*\. As root: apt-get install gcc.*\n$/);
  });

  it('needs no compiler where WIRETYPE_NO_ADDON is 1', async () => {
    lendModules();

    const { status, stderr } = await setup({ PATH: join(folder, 'empty'), WIRETYPE_NO_ADDON: '1' });

    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.ok(!existsSync(join(checkout, 'build/wiretype.node')));
  });

  it('compiles the addon in a folder whose name has blanks, quotes and foreign letters, and only once', async () => {
    lendModules();

    const first = await setup({});
    const second = await setup({});

    assert.deepEqual([first.status, first.stderr], [0, 'setup: compiling the addon\n']);
    assert.ok(existsSync(join(checkout, 'build/wiretype.node')));
    assert.deepEqual([second.status, second.stderr], [0, '']);
  });

  /** The dependencies of this checkout, in place of `npm ci`, which would empty them where they are older than the lock file. */
  function lendModules(): void {
    const modules = join(checkout, 'node_modules');
    if (!existsSync(modules)) symlinkSync(resolve('node_modules'), modules);
    utimesSync(join(checkout, 'package-lock.json'), 0, 0);
  }

  async function setup(env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<RunResult> {
    const command = [...words, join(checkout, 'scripts/setup.mjs')];
    return await attempt(process.execPath, command, { env, timeoutMs: TIMEOUT_MS });
  }
});
