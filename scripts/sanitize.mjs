/**
 * Compiles the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs its tests on that build; then its
 * threads, without Node, with ThreadSanitizer.
 *
 *     node scripts/sanitize.mjs
 *
 * The build goes to a temporary folder. Leaks are not looked for: Node itself keeps memory until the process ends.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SANITIZE = '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g';
const SOURCES = ['native', 'binding.gyp', 'package.json', 'package-lock.json'];
/** Parts of the addon that are tested with its ports, beside test/addon. */
const PORT_TESTS = ['crypto/native-aead', 'crypto/native-crypto'];

/** What works with threads, and the program that has it do so. */
const THREADED = ['native/aead', 'native/burn', 'native/cipher', 'native/pool', 'test/native/aead-threads'];
const HELPERS = ['1', '3'];

const folder = mkdtempSync(join(tmpdir(), 'wiretype-sanitize-'));
try {
  process.exitCode = build() && test() && testThreads() ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** node-gyp comes with npm, which runs the script that package.json names. */
function build() {
  for (const source of SOURCES)
    if (existsSync(join(ROOT, source))) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  return succeeds('npm', ['run', '--silent', 'install'], {
    cwd: folder,
    env: {
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`,
      CFLAGS: SANITIZE,
      LDFLAGS: '-fsanitize=address,undefined',
      npm_config_build_from_source: 'true',
      WIRETYPE_TEST_HOOKS: '1',
    },
  });
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

/** Node itself does not run under ThreadSanitizer: a program of its own drives the threads. */
function testThreads() {
  const program = join(folder, 'aead-threads');
  const sources = THREADED.map((name) => join(ROOT, `${name}.c`));
  const includes = [join(ROOT, 'native'), join(dirname(process.execPath), '../include/node')].map(
    (path) => `-I${path}`,
  );
  const words = ['-std=c17', '-O1', '-g', '-fsanitize=thread', '-D_GNU_SOURCE', ...includes, '-o', program, ...sources];
  const options = { cwd: ROOT, env: { TSAN_OPTIONS: 'halt_on_error=1' } };
  return (
    succeeds('gcc', [...words, '-l:libcrypto.so.3'], options) &&
    HELPERS.every((helpers) => succeeds(program, [helpers, '1000'], options))
  );
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
