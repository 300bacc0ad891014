/** The programs of the checkout where every user can read them: a checkout in `/root` is closed to others. */
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { CHECKOUT } from './implementation.js';
import { run } from './program.js';

/**
 * Copies what the programs need. The copy goes when the test `t` ends.
 *
 * @returns The folder, with a slash at its end.
 */
export async function copyReadable(t: Pick<TestContext, 'after'>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-readable-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const path of ['bin', 'dist/src', 'package.json', 'build/wiretype.node', ...runtimeDependencies()])
    cpSync(join(CHECKOUT, path), join(folder, path), { recursive: true });
  await run('chmod', ['-R', 'a+rX', folder]);
  chmodSync(folder, 0o755);
  return `${folder}/`;
}

/** Paths of the packages that the programs import, in the checkout. */
export function runtimeDependencies(): string[] {
  const lock = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  const installed = Object.entries(lock.packages).filter(
    ([path, { dev, optional }]) => path !== '' && !dev && !optional,
  );
  return installed.map(([path]) => path);
}
