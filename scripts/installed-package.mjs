/** The package in a user's folder, on a machine without a compiler: installed from its tarball by npm on some Node. */
import { spawnSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findProgram } from './system-tools.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Loads the addon, which must be the prebuilt one, and generates a key by the library. */
const PROGRAM = `
  import { loadAddon, NodeCrypto } from 'wiretype';
  import 'wiretype/config';
  if (Object.keys(loadAddon()).length < 30) throw new Error('this is not the addon');
  const loaded = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
  if (!loaded.some((path) => path.includes('/wiretype/prebuilds/'))) throw new Error('loaded: ' + loaded);
  new NodeCrypto();
`;

/** Makes the tarball. @returns Its path. */
export function packPackage(folder) {
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: ROOT });
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
}

/**
 * Installs the tarball with npm on a Node, and uses it.
 *
 * @param folder An empty folder.
 * @throws {Error} The message contains the output of the failing program.
 */
export function tryPackage(tarball, node, folder) {
  const npm = realpathSync(findProgram('npm'));
  // No compiler, no make, no Python: nothing but Node.
  const env = { ...process.env, PATH: [dirname(node), folder].join(delimiter), WIRETYPE_PREBUILD: undefined };
  const options = { cwd: folder, env };
  run(node, [npm, 'init', '--yes', '--init-type=module'], options);
  const install = run(node, [npm, 'install', '--no-audit', '--no-fund', tarball], options);
  if (/allow-?scripts|install script/i.test(install)) throw new Error(`npm warns of scripts:\n${install}`);
  run(node, ['--input-type=module', '-e', PROGRAM], options);
  for (const program of ['wiretype', 'wiretyped'])
    run(node, [join(folder, 'node_modules/.bin', program), '--version'], options);
}

function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout + stderr;
}
