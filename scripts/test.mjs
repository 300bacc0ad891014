/**
 * Runs the tests, part by part, and closes with one summary over all of them.
 *
 *     node scripts/test.mjs [PART | FOLDER…]        default: all parts
 *
 * A folder is one below `test/` that belongs to the part `unit`, or a file there without its `.test.ts`. A part is
 * stopped, and fails, at its time limit: many times its usual duration, times `TEST_TIME_FACTOR`. A part that this
 * machine cannot run is left out, and its line reports that; with `CI` in the environment that is a failure too.
 *
 * With `TEST_SECOND_ATTEMPT` in the environment, up to three files that failed run once more, alone: a machine that
 * others share at times starves a test with real time in it. The summary names each file that passed only then.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { missingTools, packagesOf } from './system-tools.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORTER = './scripts/test-reporter.mjs';
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'];
const MINUTE_MS = 60_000;
/** Time to take the laboratory down after a part was stopped. */
const GRACE_MS = 15_000;
const TIME_FACTOR = Number(process.env.TEST_TIME_FACTOR ?? 1);
const MAX_REPEATED_FILES = 3;

/** The parts, in the order in which they run. `unit` is every folder of `test/` that no other part names. */
const PARTS = {
  unit: { limitMs: 12 * MINUTE_MS },
  sim: { limitMs: 15 * MINUTE_MS },
  fuzz: { limitMs: 10 * MINUTE_MS },
  addon: { limitMs: 8 * MINUTE_MS },
  conformance: { limitMs: 8 * MINUTE_MS },
  // The part measures, so it runs alone on the machine and can call the garbage collector.
  budget: { limitMs: 8 * MINUTE_MS, flags: ['--expose-gc'], concurrency: 1 },
  e2e: { limitMs: 45 * MINUTE_MS, whyNot: whyNoNetworkLaboratory, isRoot: true },
  // One browser at a time: the part has pages of its own beside whatever else runs.
  page: { limitMs: 8 * MINUTE_MS, whyNot: whyNoBrowser, concurrency: 1 },
  // A Node program needs nothing else: no addon, no right, and no file to write.
  'rootless-js': {
    limitMs: 12 * MINUTE_MS,
    whyNot: whyNoConfinement,
    isRoot: true,
    isConfined: true,
    env: { WIRETYPE_NO_ADDON: '1' },
    folders: ['netstack', 'rootless', 'proxy'],
  },
  // The tests that carry traffic are run again with one system call per packet.
  plain: {
    limitMs: 30 * MINUTE_MS,
    whyNot: whyNoNetworkLaboratory,
    isRoot: true,
    env: { E2E_SUBJECT: 'plain' },
    files: [
      'kernel-peer',
      'live-changes',
      'loss',
      'namespaces',
      'nat',
      'nested-tunnels',
      'packet-rules',
      'roaming',
      'sticky-source',
    ].map((name) => `test/e2e/${name}.test.ts`),
  },
};

process.exitCode = await main(process.argv.slice(2));

async function main(wanted) {
  const folders = wanted.filter((name) => !(name in PARTS));
  const isThere = (name) => ['', '.test.ts'].some((end) => existsSync(join(ROOT, 'test', `${name}${end}`)));
  const unknown = folders.filter((name) => !isThere(name));
  if (unknown.length > 0) return usage(`There is no part ${unknown.join(', ')}.`);

  const totals = Object.fromEntries(COUNTS.map((name) => [name, 0]));
  const passedLater = [];
  const failures = [];
  for (const [name, part] of Object.entries(PARTS)) {
    const isPicked = name === 'unit' && folders.length > 0 && !wanted.includes(name);
    if (wanted.length > 0 && !wanted.includes(name) && !isPicked) continue;
    const counts = await runPart(name, isPicked ? { ...part, folders } : part);
    for (const count of COUNTS) totals[count] += counts[count] ?? 0;
    passedLater.push(...(counts.passedLater ?? []));
    failures.push(...(counts.failures ?? []));
  }
  printFailures(failures);
  printSummary(totals, passedLater);
  return totals.fail + totals.cancelled === 0 && totals.tests > 0 ? 0 : 1;
}

async function runPart(name, part) {
  const files = testFiles(name, part);
  if (files.length === 0) return {};
  const reason = part.whyNot?.();
  if (reason !== undefined) return leaveOut(name, reason);

  process.stdout.write(`\n# ${name}\n`);
  const counts = await runFiles(name, part, files);
  return counts.failures?.length > 0 ? await repeatFailed(name, part, counts) : counts;
}

/** Runs the files that failed once more. @returns The counts of the first run, without the failures that are gone. */
async function repeatFailed(name, part, first) {
  const files = failedFiles(name, part, first);
  if (process.env.TEST_SECOND_ATTEMPT === undefined || files.length === 0 || files.length > MAX_REPEATED_FILES)
    return first;
  process.stdout.write(`\n# ${name}, second attempt: ${files.join(', ')}\n`);
  const { fail, cancelled, failures } = await runFiles(name, { ...part, concurrency: 1 }, files);
  if (fail + (cancelled ?? 0) > 0) return { ...first, failures: [...first.failures, ...(failures ?? [])] };
  const gone = first.fail + first.cancelled;
  return { ...first, pass: first.pass + gone, fail: 0, cancelled: 0, passedLater: files };
}

/** Returns the test files of failures: the runner names the file that defines a test, which several files may import. */
function failedFiles(name, part, { failures = [] }) {
  const defining = failures.filter(({ file }) => file !== undefined).map(({ file }) => basename(file));
  const isConcerned = (file) =>
    defining.some((module) => basename(file) === module || readFileSync(join(ROOT, file), 'utf8').includes(module));
  return testFiles(name, part).filter(isConcerned);
}

async function runFiles(name, part, files) {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-test-'));
  try {
    const countsFile = join(folder, part.isConfined ? 'results/counts.json' : 'counts.json');
    const isInTime = await runNode(part, wordsOf(part, files, folder), countsFile);
    const counts = existsSync(countsFile) ? JSON.parse(readFileSync(countsFile, 'utf8')) : {};
    if (isInTime && counts.tests !== undefined) return counts;
    process.stdout.write(
      `✖ ${name}: ${isInTime ? 'ended before its time' : `not done in ${(part.limitMs * TIME_FACTOR) / 1000} s`}\n`,
    );
    return { ...counts, tests: (counts.tests ?? 0) + 1, fail: (counts.fail ?? 0) + 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns Whether it ended by itself. */
async function runNode({ limitMs, isRoot = false, env = {} }, words, countsFile) {
  const [command, ...args] = isRoot ? asRoot(words) : words;
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env, TEST_COUNTS_FILE: countsFile },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let isInTime = true;
  const limit = setTimeout(() => {
    isInTime = false;
    child.kill('SIGTERM');
  }, limitMs * TIME_FACTOR);
  const insist = setTimeout(() => child.kill('SIGKILL'), limitMs * TIME_FACTOR + GRACE_MS);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(limit);
  clearTimeout(insist);
  return isInTime;
}

function wordsOf({ flags = [], concurrency = 2, isConfined = false }, files, folder) {
  const args = [...flags, '--test', `--test-concurrency=${concurrency}`, `--test-reporter=${REPORTER}`, ...files];
  if (!isConfined) return [process.execPath, ...args];
  const script = join(ROOT, 'scripts/confine.sh');
  return ['unshare', '-m', '--propagation', 'private', 'sh', script, ROOT, process.execPath, folder, ...args];
}

/** Returns the compiled tests of a part. Results of deleted sources are excluded. */
function testFiles(name, { files, folders }) {
  return (files ?? filesOfFolders(name, folders)).map((file) => join('dist', file.replace(/\.ts$/, '.js')));
}

function filesOfFolders(part, picked) {
  const isPicked = (file) => picked.some((name) => file.startsWith(`${name}/`) || file === `${name}.test.ts`);
  return readdirSync(join(ROOT, 'test'), { recursive: true })
    .filter((file) => file.endsWith('.test.ts') && file.includes('/'))
    .filter((file) => (picked === undefined ? partOf(file.split('/', 1)[0]) === part : isPicked(file)))
    .map((file) => join('test', file))
    .sort();
}

function partOf(folder) {
  return folder in PARTS ? folder : 'unit';
}

function leaveOut(name, reason) {
  const isFailure = process.env.CI !== undefined;
  process.stdout.write(`\n# ${name}\n${isFailure ? '✖' : '﹣'} left out: ${reason}\n`);
  return isFailure ? { tests: 1, fail: 1 } : { tests: 1, skipped: 1 };
}

/**
 * The end-to-end tests make network namespaces and use the system's tools in them. Without the optional ones only
 * the tests that need them are left out, which say so themselves.
 */
function whyNoNetworkLaboratory() {
  if (!isRootPossible()) return 'network namespaces need root: run npm test as root, or allow sudo without a password';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  const missing = missingTools('test').filter(({ isOptional }) => isOptional !== true);
  return missing.length === 0 ? undefined : `missing programs; apt-get install ${packagesOf(missing).join(' ')}`;
}

function whyNoBrowser() {
  return existsSync('/usr/bin/chromium') ? undefined : 'missing program; apt-get install chromium';
}

function whyNoConfinement() {
  if (process.platform !== 'linux') return 'it needs mount namespaces of Linux';
  return isRootPossible()
    ? undefined
    : 'mount namespaces need root: run npm test as root, or allow sudo without a password';
}

function isRootPossible() {
  return process.getuid() === 0 || spawnSync('sudo', ['-n', 'true']).status === 0;
}

function asRoot(words) {
  return process.getuid() === 0 ? words : ['sudo', '-n', '--preserve-env', ...words];
}

/** Prints what failed once more, at the end, where it is looked for. Failures of a first attempt are among them. */
function printFailures(failures) {
  for (const { name, file, error } of failures) process.stdout.write(`\n✖ ${name} (${file})\n${error}\n`);
}

function printSummary(totals, passedLater) {
  const lines = COUNTS.map((name) => `# ${name} ${totals[name]}`);
  if (passedLater.length > 0) lines.push(`# passed only at the second attempt: ${passedLater.join(', ')}`);
  process.stdout.write(`\n${lines.join('\n')}\n${totals.pass} passed, ${totals.fail + totals.cancelled} failed\n`);
}

function usage(problem) {
  process.stderr.write(`${problem} Parts: ${Object.keys(PARTS).join(', ')}.\n`);
  return 2;
}
