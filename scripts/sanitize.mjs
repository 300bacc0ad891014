/**
 * Compiles the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs its tests on that build; then, without
 * Node, its answers to failures of libraries, and its threads with ThreadSanitizer.
 *
 *     node scripts/sanitize.mjs
 *
 * The build goes to a temporary folder. Leaks are not checked: Node itself keeps memory until the process ends.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { compileAddon, findHeaders } from './addon.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g'];
/** Parts of the addon that are tested with its ports, beside test/addon. */
const PORT_TESTS = ['crypto/native-aead', 'crypto/native-crypto'];

/** The sources that work with threads, and the program that drives them. */
const THREADED = ['native/aead', 'native/burn', 'native/cipher', 'native/pool', 'test/native/aead-threads'];
const HELPERS = ['1', '3'];

/** Programs that replace functions of a library, in order to have them fail. */
const FAILURES = [
  {
    name: 'aead-key-failure',
    sources: ['native/aead', 'native/burn', 'native/cipher', 'native/pool', 'test/native/aead-key-failure'],
    flags: ['-Wl,--wrap=EVP_EncryptInit_ex', '-l:libcrypto.so.3'],
  },
  { name: 'watch-after-error', sources: ['native/watch', 'test/native/watch-after-error'], flags: [] },
];

const folder = mkdtempSync(join(tmpdir(), 'wiretype-sanitize-'));
try {
  process.exitCode = (await build()) && test() && FAILURES.every(testFailure) && testThreads() ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns Whether it compiled. */
async function build() {
  const failure = await compileAddon({
    compiler: ['gcc'],
    headers: findHeaders(),
    output: join(folder, 'build/wiretype.node'),
    flags: ['-Werror', ...SANITIZE],
    hasTestHooks: true,
  });
  if (failure !== undefined) process.stderr.write(failure);
  return failure === undefined;
}

function test() {
  const files = readdirSync(join(ROOT, 'test/addon')).filter((name) => name.endsWith('.test.ts'));
  const tests = [...files.map((name) => `addon/${name.replace(/\.test\.ts$/, '')}`), ...PORT_TESTS];
  const preload = spawnSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim();
  return succeeds(process.execPath, ['--test', ...tests.map((name) => join('dist/test', `${name}.test.js`))], {
    cwd: ROOT,
    env: {
      LD_PRELOAD: preload,
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
      WIRETYPE_PREBUILD: folder,
    },
  });
}

function testFailure({ name, sources, flags }) {
  return compiles(name, sources, [...SANITIZE, ...flags]) && succeeds(join(folder, name), [], { cwd: ROOT });
}

/** Tests the threads by a separate program, since Node does not run under ThreadSanitizer. */
function testThreads() {
  const options = { cwd: ROOT, env: { TSAN_OPTIONS: 'halt_on_error=1' } };
  return (
    compiles('aead-threads', THREADED, ['-g', '-fsanitize=thread', '-l:libcrypto.so.3']) &&
    HELPERS.every((helpers) => succeeds(join(folder, 'aead-threads'), [helpers, '1000'], options))
  );
}

/** Compiles a program that does without Node. */
function compiles(name, sources, flags) {
  const paths = sources.map((source) => join(ROOT, `${source}.c`));
  const includes = [join(ROOT, 'native'), findHeaders()].map((path) => `-I${path}`);
  const words = ['-std=c17', '-O1', '-D_GNU_SOURCE', ...includes, '-o', join(folder, name), ...paths, ...flags];
  return succeeds('gcc', words, { cwd: ROOT });
}

function succeeds(command, args, { cwd, env }) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) process.stderr.write(`${command}: ${error.message}\n`);
  return status === 0;
}
