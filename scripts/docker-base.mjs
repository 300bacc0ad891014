/**
 * A stand-in for the image that `Dockerfile` builds on, made without a registry of images: Debian from debootstrap, Node
 * from npm's package of the same version, npm from this machine, and the user `node`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { installNode } from './node-package.mjs';

const DOCKERFILE = fileURLToPath(new URL('../Dockerfile', import.meta.url));
const CERTIFICATES = 'etc/ssl/certs/ca-certificates.crt';

/**
 * Makes the root of the image that `Dockerfile` names in its first `FROM`.
 *
 * @param folder An empty folder for the results.
 * @returns The root, and the name of the image.
 */
export function makeBase(folder) {
  const [, image, nodeVersion, release] = /^FROM (node:(\d+)-(\w+)-slim)/m.exec(readFileSync(DOCKERFILE, 'utf8'));
  const root = join(folder, 'root');
  const mirror = debianMirror(release);
  run('debootstrap', ['--variant=minbase', release, root, mirror]);
  writeFileSync(join(root, 'etc/apt/sources.list'), `deb ${mirror} ${release} main\n`);
  addNode(root, installNode(folder, nodeVersion));
  addNpm(root);
  run('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node']);
  return { root, image: `docker.io/library/${image}` };
}

function addNode(root, program) {
  const prefix = join(dirname(program), '..');
  for (const name of ['bin/node', 'include/node'])
    cpSync(join(prefix, name), join(root, 'usr/local', name), { recursive: true });
}

/** Adds npm with the certificates and the registry of this machine. */
function addNpm(root) {
  const npm = join(dirname(realpathSync(which('npm'))), '..');
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  mkdirSync(join(root, dirname(CERTIFICATES)), { recursive: true });
  cpSync(`/${CERTIFICATES}`, join(root, CERTIFICATES));
  const registry = run('npm', ['config', 'get', 'registry']).trim();
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `registry=${registry}\ncafile=/${CERTIFICATES}\n`);
}

/** Returns the mirror that apt uses on this machine. */
function debianMirror(release) {
  const format = ['indextargets', '--format', '$(SITE) $(REPO_URI) $(CODENAME)', 'Created-By: Packages'];
  const sources = run('apt-get', [...format, 'Origin: Debian'])
    .split('\n')
    .map((line) => line.split(' '));
  const [, uri] = sources.find(([, , codename]) => codename === release) ?? sources[0];
  return uri;
}

function which(command) {
  return run('sh', ['-c', `command -v ${command}`]).trim();
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}
