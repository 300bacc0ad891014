import { readFileSync } from 'node:fs';

/** Returns the version of the package, from its package.json. This file runs as `dist/src/cli/version.js`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
