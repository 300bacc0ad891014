/**
 * Loads the addons that are prebuilt for musl with musl's own loader, on x64 and, under qemu's emulation, on arm64.
 *
 *     node scripts/musl-test.mjs
 *
 * There is no package of Node for musl: a small program takes its place, with stubs for Node's functions.
 * The tests: musl resolves every symbol, and the addon registers the same functions as on glibc. Needs
 * `npm run prebuilds`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readElf } from './elf.mjs';
import { fetchMusl } from './musl.mjs';
import { COMPILERS, FROM_NODE, TARGETS } from './targets.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFINED_BY_HOST = 'napi_set_named_property';
const EMULATORS = { x64: 'qemu-x86_64', arm64: 'qemu-aarch64' };

const expected = Object.keys(createRequire(import.meta.url)(fileOf(process.arch, 'glibc'))).sort();
process.exitCode = Object.keys(COMPILERS).filter((arch) => !passesOn(arch)).length;

function passesOn(arch) {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-musl-'));
  try {
    const addon = fileOf(arch, 'musl');
    const { library, host } = compileHost(arch, addon, folder);
    const emulator = arch === process.arch ? [] : [EMULATORS[arch]];
    const registered = run([...emulator, library, host, addon])
      .trim()
      .split('\n')
      .sort();
    const isSame = JSON.stringify(registered) === JSON.stringify(expected);
    const verdict = isSame ? `registers ${expected.length} functions` : `registers ${registered}, not ${expected}`;
    process.stdout.write(`${isSame ? '✔' : '✖'} linux-${arch}-musl loads and ${verdict}\n`);
    return isSame;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fileOf(arch, libc) {
  return TARGETS.find((target) => target.arch === arch && target.libc === libc).file;
}

function compileHost(arch, addon, folder) {
  const { headers, library, startFiles } = fetchMusl(arch);
  const names = readElf(addon).wanted.map(({ name }) => name);
  const stubs = names.filter((name) => FROM_NODE.test(name) && name !== DEFINED_BY_HOST);
  writeFileSync(
    join(folder, 'stubs.c'),
    stubs
      .map((name) => `long ${name}(void) { return ${name.startsWith('napi_') || name.startsWith('uv_') ? 0 : 1}; }\n`)
      .join(''),
  );
  const compilerHeaders = run([COMPILERS[arch], '-print-file-name=include']).trim();
  const host = join(folder, 'host');
  const [start, ...ends] = ['crt1.o', 'crti.o', 'crtn.o'].map((name) => join(startFiles, name));
  run([
    ...[COMPILERS[arch], '-std=c17', '-Wall', '-Wextra', '-fno-builtin', '-fno-pie', '-no-pie'],
    ...['-nostdinc', '-isystem', headers, '-isystem', compilerHeaders, '-nostdlib', '-rdynamic', '-o', host],
    ...[start, join(ROOT, 'test/native/musl-host.c'), join(folder, 'stubs.c'), ...ends],
    ...[`-L${dirname(library)}`, '-l:libc.so', '-lgcc'],
  ]);
  return { library, host };
}

function run([command, ...words]) {
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${[command, ...words].join(' ')}: ${error?.message ?? `${status}\n${stderr}`}`);
  return stdout;
}
