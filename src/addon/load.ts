import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import type { Addon } from './interface.js';

/** The start of a program's file that contains the name of its loader, which linkers put directly behind the headers. */
const INTERPRETER_WITHIN_BYTES = 4096;

/** No compiled addon fits this system. Everything but the Linux TUN works without. */
export class AddonMissingError extends Error {
  override readonly name = 'AddonMissingError';
  readonly code = 'ERR_ADDON_MISSING';
}

/**
 * Loads the addon: the one compiled in this checkout, else the prebuilt one for this system and C library.
 *
 * Environment: `WIRETYPE_PREBUILD` names a folder that has `build/` or `prebuilds/` in place of the package's own;
 * `WIRETYPE_NO_ADDON=1` pretends that there is none.
 *
 * @throws {AddonMissingError} with the loader's reason as `cause`.
 */
export function loadAddon(): Addon {
  if (process.env['WIRETYPE_NO_ADDON'] === '1')
    throw new AddonMissingError('The native addon is turned off: WIRETYPE_NO_ADDON is 1');
  const require = createRequire(import.meta.url);
  const prebuilt = prebuiltName(process.platform, process.arch, isMusl());
  const file = findAddon(process.env['WIRETYPE_PREBUILD'] ?? packageFolder(require), prebuilt);
  if (file === undefined)
    throw new AddonMissingError(`The native addon could not be loaded: there is none for this system (${prebuilt})`);
  try {
    return require(file) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new AddonMissingError(`The native addon could not be loaded: ${reason}`, { cause });
  }
}

/** Returns the path of a prebuilt addon below `prebuilds/`; `scripts/prebuild.mjs` writes the same names. */
export function prebuiltName(platform: string, arch: string, isForMusl: boolean): string {
  return `${platform}-${arch}/wiretype.${isForMusl ? 'musl' : 'glibc'}.node`;
}

function findAddon(folder: string, prebuilt: string): string | undefined {
  const files = ['build/wiretype.node', `prebuilds/${prebuilt}`];
  return files.map((file) => resolve(folder, file)).find((file) => existsSync(file));
}

/** Tests for musl by the program's loader: `/lib/ld-musl-x86_64.so.1` or `/lib64/ld-linux-x86-64.so.2`. */
export function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const head = Buffer.alloc(INTERPRETER_WITHIN_BYTES);
  const fd = openSync(process.execPath, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  return head.includes('/ld-musl-');
}

/** Returns the folder of the package. This file runs as `dist/src/addon/load.js`. */
function packageFolder(require: NodeJS.Require): string {
  return require.resolve('../../../package.json').slice(0, -'/package.json'.length);
}
