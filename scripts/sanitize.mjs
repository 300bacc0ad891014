/**
 * Compiles the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs its tests on that build.
 *
 *     node scripts/sanitize.mjs
 *
 * The build goes to a temporary folder. Leaks are not looked for: Node itself keeps memory until the process ends.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SANITIZE = '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g';
const SOURCES = ['native', 'binding.gyp', 'package.json', 'package-lock.json'];
/** Parts of the addon that are tested with its ports, beside test/addon. */
const PORT_TESTS = ['crypto/native-aead', 'crypto/native-crypto'];

const folder = mkdtempSync(join(tmpdir(), 'wiretype-sanitize-'));
try {
  process.exitCode = build() && test() ? 0 : 1;
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

function succeeds(command, args, { cwd, env }) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) process.stderr.write(`${command}: ${error.message}\n`);
  return status === 0;
}
