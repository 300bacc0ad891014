/**
 * Compiles the addon from `native/`: the common part of `setup.mjs`, `prebuild.mjs` and `sanitize.mjs`.
 *
 * Needs a C compiler, the headers of the C library and Node's headers; neither make nor Python.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const SOURCE_FOLDER = join(ROOT, 'native');
const DEFINES = ['NAPI_VERSION=8', 'NODE_GYP_MODULE_NAME=wiretype', '_GNU_SOURCE', '_FILE_OFFSET_BITS=64'];
const WARNINGS = ['-Wall', '-Wextra', '-Wconversion'];
const CODE = ['-std=c17', '-O2', '-fPIC', '-pthread', '-fvisibility=hidden', '-fstack-protector-strong'];
const HARDENING = ['-fstack-clash-protection'];
/** Flags for control-flow integrity, by the machine that a compiler builds for. */
const BRANCH_PROTECTION = { x86_64: ['-fcf-protection=full'], aarch64: ['-mbranch-protection=standard'] };
/** Flags that sanitizers exclude, since the checks of _FORTIFY_SOURCE hide theirs. */
const FORTIFY = ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=2'];
const LINK = ['-shared', '-pthread', '-Wl,-z,relro,-z,now', '-Wl,-soname,wiretype.node'];

/** Returns further words for the compiler, by the machine that it compiles for. */
function hardening(compiler, flags) {
  const target = spawnSync(compiler[0], [...compiler.slice(1), '-dumpmachine'], { encoding: 'utf8' }).stdout ?? '';
  const protection = BRANCH_PROTECTION[target.split('-')[0]] ?? [];
  const isSanitized = flags.some((flag) => flag.startsWith('-fsanitize'));
  return [...HARDENING, ...protection, ...(isSanitized ? [] : FORTIFY)];
}

/**
 * Compiles all sources, two or more at a time, and links them to `output`.
 *
 * @param options.compiler Program with its first words, `['gcc']` for instance.
 * @param options.flags More words for each call of the compiler; `linkFlags` for the last call alone.
 * @param options.headers Folder that has `node_api.h`.
 * @param options.hasTestHooks Compiles the functions that only tests call.
 * @returns Nothing, or what the compiler printed when it failed.
 */
export async function compileAddon({ compiler, headers, output, flags = [], linkFlags = [], hasTestHooks = false }) {
  mkdirSync(dirname(output), { recursive: true });
  const folder = mkdtempSync(join(dirname(output), 'objects-'));
  try {
    const defines = [...DEFINES, ...(hasTestHooks ? ['WT_TEST_HOOKS'] : [])].map((define) => `-D${define}`);
    const words = [...CODE, ...hardening(compiler, flags), ...WARNINGS, ...defines, '-isystem', headers, ...flags];
    const jobs = addonSources().map((source) => ({ source, object: join(folder, `${basename(source)}.o`) }));
    const failure = await runAll(jobs, ({ source, object }) =>
      run([...compiler, ...words, '-c', source, '-o', object]),
    );
    if (failure !== undefined) return failure;

    const program = join(folder, 'wiretype.node');
    const objects = jobs.map(({ object }) => object);
    const linked = await run([...compiler, ...flags, ...LINK, '-o', program, ...objects, ...linkFlags]);
    if (linked === undefined) renameSync(program, output);
    return linked;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function addonSources() {
  const names = readdirSync(SOURCE_FOLDER).filter((name) => name.endsWith('.c'));
  return names.sort().map((name) => join(SOURCE_FOLDER, name));
}

/**
 * Finds the headers of the Node that runs this program: where npm's `nodedir` points, else beside the program, else
 * where an earlier `downloadHeaders` put them.
 *
 * @returns The folder, or `undefined` where there are none.
 */
export function findHeaders() {
  const prefixes = [process.env.npm_config_nodedir, join(dirname(realpathSync(process.execPath)), '..')];
  const folders = prefixes.filter((prefix) => prefix !== undefined && prefix !== '');
  const candidates = [...folders, downloadFolder()].map((prefix) => join(prefix, 'include/node'));
  return candidates.find((folder) => existsSync(join(folder, 'node_api.h')));
}

/** Downloads the headers by npm's own node-gyp, whose PATH contains only the running Node. */
export function downloadHeaders() {
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'headers'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? undefined : `${stdout ?? ''}${stderr ?? ''}`;
}

function downloadFolder() {
  return join(ROOT, 'build/headers', process.versions.node);
}

async function runAll(jobs, start) {
  const waiting = [...jobs];
  const failures = [];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined && failures.length === 0; job = waiting.shift()) {
      const failure = await start(job);
      if (failure !== undefined) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return failures[0];
}

/** @returns Nothing, or what the program printed when it failed. */
function run([command, ...words]) {
  return new Promise((resolve) => {
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = [];
    child.stdout.on('data', (part) => parts.push(part));
    child.stderr.on('data', (part) => parts.push(part));
    child.on('error', (error) => resolve(`${command}: ${error.message}\n`));
    child.on('close', (status) => resolve(status === 0 ? undefined : Buffer.concat(parts).toString()));
  });
}
