/** The systems that the package carries the addon for, and the options for compiling it. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { prebuiltName } from '../dist/src/addon/load.js';
import { compileAddon, findHeaders, SOURCE_FOLDER } from './addon.mjs';
import { fetchMusl } from './musl.mjs';

const FOLDER = fileURLToPath(new URL('../prebuilds/', import.meta.url));
export const COMPILERS = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };
/** Symbols that Node provides; all others must come from the C library. */
export const FROM_NODE = /^(?:napi_|uv_|EVP_|OSSL_|CRYPTO_|ERR_|OPENSSL_)/;

export const TARGETS = Object.keys(COMPILERS).flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => ({
    name: `linux-${arch}-${libc}`,
    arch,
    libc,
    file: join(FOLDER, prebuiltName('linux', arch, libc === 'musl')),
  })),
);

/**
 * Compiles the addon for a target; every warning is an error.
 *
 * @param options.output Default: its place in `prebuilds/`.
 * @param options.hasTestHooks Compiles the functions that only tests call.
 * @returns Nothing, or what the compiler printed when it failed.
 */
export async function compileTarget(target, { output = target.file, hasTestHooks = false } = {}) {
  const compiler = COMPILERS[target.arch];
  const headers = findHeaders();
  if (headers === undefined) return 'the headers of Node are missing';
  const { flags, linkFlags } = target.libc === 'musl' ? muslOptions(target.arch, compiler) : glibcOptions();
  return await compileAddon({
    compiler: [compiler],
    headers,
    output,
    flags: ['-Werror', ...flags],
    linkFlags: ['-Wl,-s', ...linkFlags],
    hasTestHooks,
  });
}

function glibcOptions() {
  return { flags: ['-include', join(SOURCE_FOLDER, 'older-glibc.h')], linkFlags: [] };
}

/**
 * Returns options that link nothing of glibc, not even its start files: the addon has neither constructors nor
 * destructors.
 */
function muslOptions(arch, compiler) {
  const { headers, kernelHeaders, library } = fetchMusl(arch);
  const flags = ['-nostdinc', '-isystem', headers, '-isystem', compilerHeaders(compiler), '-isystem', kernelHeaders];
  // Outline atomics come from libgcc and would look for a function that only glibc has.
  const processor = arch === 'arm64' ? ['-mno-outline-atomics'] : [];
  // Lengths of control messages have narrower types in musl, and its macros convert signs.
  return {
    flags: [...flags, ...processor, '-nostdlib', '-Wno-conversion', '-Wno-sign-conversion'],
    linkFlags: [`-L${dirname(library)}`, '-l:libc.so', '-lgcc'],
  };
}

function compilerHeaders(compiler) {
  return spawnSync(compiler, ['-print-file-name=include'], { encoding: 'utf8' }).stdout.trim();
}
