import { createRequire } from 'node:module';

import type { Addon } from './interface.js';

/** No compiled addon fits this system. Everything but the Linux TUN works without. */
export class AddonMissingError extends Error {
  override readonly name = 'AddonMissingError';
  readonly code = 'ERR_ADDON_MISSING';
}

/**
 * Loads the addon: the one compiled in this checkout, else the prebuilt one of this platform.
 *
 * @throws {AddonMissingError} with the loader's reason as `cause`.
 */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  try {
    return require('node-gyp-build')(packageDirectory(require)) as Addon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new AddonMissingError(`The native addon could not be loaded: ${reason}`, { cause });
  }
}

/** This file runs as `dist/src/addon/load.js`. */
function packageDirectory(require: NodeJS.Require): string {
  return require.resolve('../../../package.json').slice(0, -'/package.json'.length);
}
