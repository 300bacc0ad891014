/**
 * Prepares a checkout to run: dependencies, addon, TypeScript, and the tools of the system.
 *
 *     node scripts/setup.mjs [--for PURPOSE]
 *
 * The script does only the missing steps, and prints nothing when no step is missing. `--for start` (or test, bench,
 * prebuild, lab, proxy-demo) also checks
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
/** Development tools are included regardless of NODE_ENV and npm's `omit`: the compiler is one, with optional parts. */
const INSTALL = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
/** Purposes that work without some programs: the tests then skip parts and print which. */
const CAN_DO_WITH_LESS = ['test'];

const { values } = parseArgs({ options: { for: { type: 'string' } } });
checkNode();
installDependencies();
await buildAddon();
compileTypeScript();
buildPage();
if (values.for === 'test') installExamples();
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
  if (hasPackages('.') && existsSync(COMPILER)) return;
  if (!isInstalled('npm')) fail('npm is missing: it comes with Node; where Node is a Debian package, npm is another');
  step('installing dependencies (npm ci)');
  run('installing the dependencies', 'npm', INSTALL);
}

/** Installs the libraries that the examples show. Their optional native parts are not needed. */
function installExamples() {
  if (hasPackages('examples')) return;
  step('installing the libraries of the examples (npm ci)');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  run('installing the libraries of the examples', 'npm', ['ci', ...options, '--prefix', 'examples']);
}

/** Tests whether the packages of a folder are those that its lock file names. */
function hasPackages(folder) {
  const installed = path(`${folder}/node_modules/.package-lock.json`);
  return modifiedMs(installed) >= modifiedMs(path(`${folder}/package-lock.json`));
}

async function buildAddon() {
  if (process.platform !== 'linux' || process.env.WIRETYPE_NO_ADDON === '1') return;
  const sources = Math.max(newestMs(SOURCE_FOLDER), modifiedMs(path('scripts/addon.mjs')));
  if (modifiedMs(ADDON) >= sources) return;
  // The gateway works without the addon, so that anybody can try it on a machine without a compiler.
  if (values.for === 'start' && process.getuid?.() !== 0 && missingTools('build').length > 0)
    return step(
      `the addon is left out, since ${namesOf(missingTools('build'))} is missing: the gateway is slower without it`,
    );
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

/** Runs the compiler, which finds out fast whether there is anything to do. */
function compileTypeScript() {
  if (!existsSync(path('dist/src'))) step('compiling TypeScript');
  run('compiling TypeScript', process.execPath, [COMPILER, '-b']);
}

/** Builds the page of the gateway. */
function buildPage() {
  if (!existsSync(path('web'))) return;
  const sources = Math.max(newestMs(path('web')), modifiedMs(path('scripts/web.mjs')));
  if (modifiedMs(path('dist/web/manifest.json')) >= sources) return;
  run('building the page', process.execPath, [path('scripts/web.mjs')]);
}

/** Installs the missing programs of a list. Ends the program if required programs cannot be installed. */
function installTools(purpose) {
  const missing = missingTools(purpose).filter(mayBeInstalled);
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

/** Debian starts the services of a package, also with every boot from then on: nobody asked for that on a machine with systemd. */
function mayBeInstalled({ isService }) {
  return isService !== true || !existsSync('/run/systemd/system');
}

function installPackages(packages) {
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if (attempt('apt-get', install).status === 0) return;
  // A fresh machine has no lists of packages, and those of an old machine are stale.
  run('updating the lists of Debian packages', 'apt-get', ['update', '-q']);
  run('installing Debian packages', 'apt-get', install);
}

/** Runs a program that must succeed. Its output is shown only when it fails. */
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

/** Ends the program with a message behind the output, where it is read first. */
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

/** Returns the time of a file's last change; 0 for a missing file. */
function modifiedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Returns the time at which the newest file of a folder changed; 0 if it has no files. */
function newestMs(folder) {
  return Math.max(0, ...readdirSync(folder).map((name) => modifiedMs(join(folder, name))));
}
