/**
 * Compiles the addon for the systems that the package carries it for, and checks what came out.
 *
 *     node scripts/prebuild.mjs [--available | --check] [--here | TARGET…]      default: all targets
 *
 * `--here` stands for the target of this system. `--available` leaves out targets whose compiler is missing, with a line about it; `--check` compiles nothing.
 * A build for glibc runs on glibc 2.31 and later. Node itself provides OpenSSL, libuv and Node-API.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { isMusl, prebuiltName } from '../dist/src/addon/load.js';
import { compileAddon, findHeaders, SOURCE_FOLDER } from './addon.mjs';
import { readElf } from './elf.mjs';
import { fetchMusl } from './musl.mjs';
import { isInstalled } from './system-tools.mjs';

const FOLDER = fileURLToPath(new URL('../prebuilds/', import.meta.url));
const GLIBC_LIMIT = [2, 31];
const COMPILERS = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };
const MACHINES = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };
/** What Node brings: all else has to come from the C library. */
const FROM_NODE = /^(?:napi_|uv_|EVP_|OSSL_|CRYPTO_|ERR_|OPENSSL_)/;
/** The guard of the stack is in the loader on arm64. */
const LOADER = /^ld-linux-/;
/** Weak references that every linker adds and no library has to resolve. */
const NOBODYS = /^(?:_ITM_|__gmon_start__)/;

const TARGETS = Object.keys(COMPILERS).flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => ({
    name: `linux-${arch}-${libc}`,
    arch,
    libc,
    file: join(FOLDER, prebuiltName('linux', arch, libc === 'musl')),
  })),
);

const { values, positionals } = parseArgs({
  options: { available: { type: 'boolean' }, check: { type: 'boolean' }, here: { type: 'boolean' } },
  allowPositionals: true,
});
process.exitCode = await main();

async function main() {
  const unknown = positionals.filter((name) => !TARGETS.some((target) => target.name === name));
  if (unknown.length > 0)
    return print(`no target ${unknown.join(', ')}: ${TARGETS.map(({ name }) => name).join(', ')}`);
  for (const target of TARGETS.filter(isWanted)) {
    const problem = values.check ? check(target) : await build(target);
    if (problem !== undefined) return print(`${target.name}: ${problem}`);
  }
  return 0;
}

function isWanted({ name }) {
  if (values.here) return name === `linux-${process.arch}-${isMusl() ? 'musl' : 'glibc'}`;
  return positionals.length === 0 || positionals.includes(name);
}

/** @returns Nothing, or the problem. */
async function build(target) {
  const compiler = COMPILERS[target.arch];
  if (!isInstalled(compiler)) {
    if (!values.available) return `${compiler} is missing: node scripts/setup.mjs --for prebuild`;
    print(`${target.name} is left out: ${compiler} is missing`);
    return undefined;
  }
  const headers = findHeaders();
  if (headers === undefined) return 'the headers of Node are missing';
  const options = target.libc === 'musl' ? muslOptions(target.arch, compiler) : glibcOptions();
  const { flags, linkFlags } = options;
  const words = { flags: ['-Werror', ...flags], linkFlags: ['-Wl,-s', ...linkFlags] };
  return (await compileAddon({ compiler: [compiler], headers, output: target.file, ...words })) ?? check(target);
}

function glibcOptions() {
  return { flags: ['-include', join(SOURCE_FOLDER, 'older-glibc.h')], linkFlags: [] };
}

/** Nothing of glibc's is linked, not even its start files: the addon has neither constructors nor destructors. */
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

/** @returns Nothing, or why the file would not load. */
function check({ arch, libc, file }) {
  if (!existsSync(file)) return `${file} is missing: npm run prebuilds`;
  const { machine, needed, wanted, provided } = readElf(file);
  if (machine !== MACHINES[arch]) return `compiled for ${machine}`;
  if (!provided.has('napi_register_module_v1')) return 'it does not register with Node';
  const library = libc === 'musl' ? 'libc.so' : 'libc.so.6';
  if (needed.some((name) => name !== library && !LOADER.test(name)))
    return `it needs more than ${library}: ${needed.join(', ')}`;
  const fromLibc = wanted.filter(({ name }) => !FROM_NODE.test(name) && !NOBODYS.test(name));
  const missing = libc === 'musl' ? missingInMusl(arch, fromLibc) : newerThanLimit(fromLibc);
  if (missing.length > 0) return `the oldest ${libc} that it has to run on lacks ${missing.join(', ')}`;
  return undefined;
}

function missingInMusl(arch, symbols) {
  const { provided } = readElf(fetchMusl(arch).library);
  return symbols.filter(({ name, version }) => version !== undefined || !provided.has(name)).map(({ name }) => name);
}

function newerThanLimit(symbols) {
  const [limitMajor, limitMinor] = GLIBC_LIMIT;
  return symbols
    .filter(({ version }) => {
      const [, major, minor] = /^GLIBC_(\d+)\.(\d+)/.exec(version ?? '') ?? [];
      if (major === undefined) return true;
      return Number(major) > limitMajor || (Number(major) === limitMajor && Number(minor) > limitMinor);
    })
    .map(({ name, version }) => `${name} (${version})`);
}

function print(text) {
  process.stderr.write(`prebuild: ${text}\n`);
  return 1;
}
