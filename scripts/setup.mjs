/**
 * Brings a checkout to where it can run: dependencies, addon, TypeScript, and the tools of the system.
 *
 *     node scripts/setup.mjs [--for PURPOSE]
 *
 * Does only what is needed and prints nothing when nothing is. `--for start` (or test, bench, prebuild) also looks for
 * the programs listed in `scripts/PURPOSE-tools.json`: root gets the missing ones from Debian's packages, everyone
 * else gets their names.
 *
 * Environment: `WIRETYPE_NO_APT=1` refuses to install Debian packages, `WIRETYPE_NO_ADDON=1` leaves the addon out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { compileAddon, downloadHeaders, findHeaders, SOURCE_FOLDER } from './addon.mjs';
import { isInstalled, missingTools, namesOf, packagesOf } from './system-tools.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ADDON = join(ROOT, 'build/wiretype.node');
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc');
/** Development tools too, whatever NODE_ENV and npm's `omit` are: the compiler is one, and has optional parts. */
const INSTALL = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
/** Without some of the programs, the tests leave parts out and print which. */
const CAN_DO_WITH_LESS = ['test'];

const { values } = parseArgs({ options: { for: { type: 'string' } } });
checkNode();
installDependencies();
await buildAddon();
compileTypeScript();
if (values.for !== undefined) installTools(values.for);

function checkNode() {
  const { engines } = JSON.parse(readFileSync(path('package.json'), 'utf8'));
  const least = engines.node.replace('>=', '');
  if (!isOlder(process.versions.node, least)) return;
  fail(`wiretype needs Node ${least} or later; ${process.execPath} is ${process.versions.node}`);
}

function isOlder(version, least) {
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = least.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}

function installDependencies() {
  const isRecent = modifiedMs(path('node_modules/.package-lock.json')) >= modifiedMs(path('package-lock.json'));
  if (isRecent && existsSync(COMPILER)) return;
  if (!isInstalled('npm')) fail('npm is missing: it comes with Node; where Node is a Debian package, npm is another');
  step('installing dependencies (npm ci)');
  run('installing the dependencies', 'npm', INSTALL);
}

async function buildAddon() {
  if (process.platform !== 'linux' || process.env.WIRETYPE_NO_ADDON === '1') return;
  const sources = Math.max(newestMs(SOURCE_FOLDER), modifiedMs(path('scripts/addon.mjs')));
  if (modifiedMs(ADDON) >= sources) return;
  installTools('build');
  const headers = findHeaders() ?? fetchHeaders();
  step('compiling the addon');
  const failure = await compileAddon({
    compiler: [process.env.CC ?? 'gcc'],
    headers,
    output: ADDON,
    hasTestHooks: existsSync(path('test/addon')),
  });
  if (failure !== undefined) fail('compiling the addon failed', failure);
}

function fetchHeaders() {
  step('downloading the headers of Node (node-gyp)');
  const failure = downloadHeaders();
  const headers = findHeaders();
  if (headers !== undefined) return headers;
  fail(
    'Node came without its headers, and downloading them failed: npm_config_nodedir=FOLDER names one with include/node',
    failure,
  );
}

/** The compiler itself finds out, fast, whether there is anything to do. */
function compileTypeScript() {
  if (!existsSync(path('dist/src'))) step('compiling TypeScript');
  run('compiling TypeScript', process.execPath, [COMPILER, '-b']);
}

/** Installs what a list names and the system lacks. Ends the program where that is not possible and they are needed. */
function installTools(purpose) {
  const missing = missingTools(purpose);
  if (missing.length === 0) return;
  const packages = packagesOf(missing);
  const isRefused = process.env.WIRETYPE_NO_APT === '1';
  if (isRefused || process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    const advice = `missing: ${namesOf(missing)}. As root: apt-get install ${packages.join(' ')}`;
    return CAN_DO_WITH_LESS.includes(purpose) ? step(advice) : fail(advice);
  }
  step(`installing ${packages.join(', ')} (apt-get; WIRETYPE_NO_APT=1 refuses)`);
  installPackages(packages);
}

function installPackages(packages) {
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if (attempt('apt-get', install).status === 0) return;
  // A fresh machine has no lists of packages, and those of an old machine are stale.
  run('updating the lists of Debian packages', 'apt-get', ['update', '-q']);
  run('installing Debian packages', 'apt-get', install);
}

/** Runs a program that has to succeed. Its output is shown only when it fails. */
function run(purpose, command, args) {
  const { status, stdout, stderr, error } = attempt(command, args);
  if (status === 0) return;
  const words = `${command} ${args[0]}`;
  fail(
    `${purpose} failed (${words}${error === undefined ? '' : `: ${error.message}`})`,
    `${stdout ?? ''}${stderr ?? ''}`,
  );
}

function attempt(command, args) {
  return spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Ends the program; what is to be read first stands last. */
function fail(text, output = '') {
  process.stderr.write(output);
  step(text);
  process.exit(1);
}

function step(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function path(relative) {
  return join(ROOT, relative);
}

/** 0 for what is not there. */
function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** When the newest file of a folder changed; 0 if it has none. */
function newestMs(folder) {
  return Math.max(0, ...readdirSync(folder).map((name) => modifiedMs(join(folder, name))));
}
