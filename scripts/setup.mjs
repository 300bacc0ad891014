/**
 * Brings a checkout to where it can run: dependencies, addon, TypeScript, and the tools of the system.
 *
 *     node scripts/setup.mjs [--for PURPOSE]
 *
 * Does only what is needed and says nothing when nothing is. `--for start` (or test, bench) also looks for the
 * programs listed in `scripts/PURPOSE-tools.json`: root gets the missing ones from Debian's packages, anyone
 * else is told their names.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Administrators' programs are here, also when PATH does not say so. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const { values } = parseArgs({ options: { for: { type: 'string' } } });
installDependencies();
compileAddon();
compileTypeScript();
if (values.for !== undefined) installTools(`${values.for}-tools.json`);

function installDependencies() {
  const installed = modifiedMs('node_modules/.package-lock.json');
  if (installed >= modifiedMs('package-lock.json') && installed > 0) return;
  installTools('build-tools.json');
  step('installing dependencies and compiling (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** `npm ci` does it as well; this is for sources that changed since. */
function compileAddon() {
  if (!existsSync(path('binding.gyp'))) return;
  const sources = Math.max(newestMs('native'), modifiedMs('binding.gyp'));
  if (newestMs('build/Release', '.node') >= sources) return;
  installTools('build-tools.json');
  step('compiling the addon (node-gyp)');
  run('npm', ['run', 'install'], { npm_config_build_from_source: 'true' });
}

/** The compiler itself finds out, fast, whether there is anything to do. */
function compileTypeScript() {
  const isFirst = !existsSync(path('dist/src'));
  if (isFirst) step('compiling TypeScript');
  run(path('node_modules/.bin/tsc'), ['-b']);
}

/** Installs what a list names and the system lacks; for those who may not, says what is missing. */
function installTools(list) {
  if (!existsSync(path(`scripts/${list}`))) return;
  const tools = JSON.parse(readFileSync(path(`scripts/${list}`), 'utf8'));
  const missing = tools.filter(({ command }) => !isInstalled(command));
  if (missing.length === 0) return;

  const packages = [...new Set(missing.map((tool) => tool.package))];
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    const commands = missing.map(({ command }) => command).join(', ');
    step(`missing: ${commands}. As root: apt-get install ${packages.join(' ')}`);
    return;
  }
  step(`installing ${packages.join(', ')} (apt-get)`);
  installPackages(packages);
}

function installPackages(packages) {
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if (attempt('apt-get', install, env).status === 0) return;
  run('apt-get', ['update', '-q'], env); // a fresh machine has no lists yet, an old one has old ones
  run('apt-get', install, env);
}

function isInstalled(command) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => isExecutable(join(folder, command)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program that has to succeed. Its output is shown only when it does not. */
function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = attempt(command, args, env);
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  step(`${command} ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(1);
}

function attempt(command, args, env) {
  return spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

function step(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function path(relative) {
  return join(ROOT, relative);
}

/** 0 for what is not there. */
function modifiedMs(relative) {
  return statSync(path(relative), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When the newest file of a folder changed; 0 if it has none. */
function newestMs(folder, ending = '') {
  if (!existsSync(path(folder))) return 0;
  const names = readdirSync(path(folder)).filter((name) => name.endsWith(ending));
  return Math.max(0, ...names.map((name) => modifiedMs(join(folder, name))));
}
