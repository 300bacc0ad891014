import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

/** A file costs some 0.5 ms at the start. With this many, a third of the 120 ms for `wiretype show` is gone. */
const MAX_FILES = 42;

/** Modules of Node that take milliseconds, and that these commands need only in rare cases, if at all. */
const SLOW = ['node:dns', 'node:http', 'node:child_process', 'node:util', 'node:fs/promises'];

describe('cold start', () => {
  for (const entries of [
    ['cli/main.js', 'cli/device/show-command.js'],
    ['cli/main.js', 'cli/device/set-command.js'],
    ['cli/wg/wg-main.js', 'cli/wg/show.js'],
    ['cli/wg/wg-main.js', 'cli/wg/change-device.js'],
    ['cli/wg/wg-main.js', 'cli/wg/keys.js'],
  ]) {
    it(`of ${entries.at(-1)} loads few files, no package, and no slow module of Node`, () => {
      const files = new Set<string>();
      const modules = new Set<string>();
      for (const entry of entries) follow(new URL(`../../../src/${entry}`, import.meta.url), files, modules);

      assert.ok(files.size <= MAX_FILES, `${files.size} files`);
      assert.deepEqual(
        [...modules].filter((name) => !name.startsWith('node:') || SLOW.includes(name)),
        [],
      );
    });
  }
});

/** Collects what a file imports at its top, and what that imports. */
function follow(file: URL, files: Set<string>, modules: Set<string>): void {
  if (files.has(file.href)) return;
  files.add(file.href);
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)';$/gm)) {
    if (name!.startsWith('.')) follow(new URL(name!, file), files, modules);
    else modules.add(name!);
  }
}
