/**
 * Compiles the addon for the systems that the package carries it for, and checks the results.
 *
 *     node scripts/prebuild.mjs [--available | --check] [--here | TARGET…]      default: all targets
 *
 * `--here` stands for the target of this system. `--available` leaves out targets whose compiler is missing, with a line
 * about each; `--check` compiles nothing. A build for glibc runs on glibc 2.31 and later. Node itself provides OpenSSL, libuv and Node-API.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { isMusl } from '../dist/src/addon/load.js';
import { readElf } from './elf.mjs';
import { fetchMusl } from './musl.mjs';
import { isInstalled } from './system-tools.mjs';
import { COMPILERS, compileTarget, FROM_NODE, TARGETS } from './targets.mjs';

const GLIBC_LIMIT = [2, 31];
const MACHINES = { x64: 'Advanced Micro Devices X86-64', arm64: 'AArch64' };
/** The guard of the stack is in the loader on arm64. */
const LOADER = /^ld-linux-/;
/** Weak references that every linker adds and no library must resolve. */
const NOBODYS = /^(?:_ITM_|__gmon_start__)/;

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
  return (await compileTarget(target)) ?? check(target);
}

/** @returns Nothing, or the reason why the file would not load. */
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
