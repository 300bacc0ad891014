/**
 * Fetches musl, headers and library, of any processor from Debian's packages without installing them: this system
 * neither gets a foreign architecture nor a second C library.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../build/musl/', import.meta.url));
const DEBIAN_NAMES = { x64: 'amd64', arm64: 'arm64' };
const FOLDERS = { x64: 'x86_64-linux-musl', arm64: 'aarch64-linux-musl' };
const GNU_FOLDERS = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };
/** Folders of the kernel's headers, which musl lacks and which do not depend on a C library. */
const KERNEL_HEADERS = ['linux', 'asm', 'asm-generic'];

/**
 * Returns what a compiler needs for musl; the first call for a processor downloads it to `build/musl`.
 *
 * @returns Folders with the headers of musl and of the kernel and the start files of programs, and the library, which
 *   is also musl's loader.
 * @throws {Error} With the output of the program that failed.
 */
export function fetchMusl(arch) {
  const folder = join(CACHE, arch);
  const headers = join(folder, 'root/usr/include', FOLDERS[arch]);
  if (findLibrary(arch, folder) === undefined || !existsSync(join(headers, 'stdio.h'))) download(arch, folder);
  return {
    headers,
    library: findLibrary(arch, folder),
    startFiles: join(folder, 'root/usr/lib', FOLDERS[arch]),
    kernelHeaders: linkKernelHeaders(arch, folder),
  };
}

/** Finds the library, which Debian's packages have in `/lib` or, in later releases, in `/usr/lib`. */
function findLibrary(arch, folder) {
  const files = ['root/lib', 'root/usr/lib'].map((place) => join(folder, place, FOLDERS[arch], 'libc.so'));
  return files.find((file) => existsSync(file));
}

/** Downloads lists and packages to a separate folder, so that the state of the system's apt is unchanged. */
function download(arch, folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'root'])
    mkdirSync(join(folder, name), { recursive: true });
  const options = [
    `Dir::State=${folder}/state`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${folder}/cache`,
    `APT::Architecture=${DEBIAN_NAMES[arch]}`,
    `APT::Architectures=${DEBIAN_NAMES[arch]}`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  // A source without packages for this processor is no error: the download shows whether any source had them.
  spawnSync('apt-get', [...options, 'update', '-q'], { stdio: 'ignore' });
  run('apt-get', [...options, 'download', '-q', 'musl', 'musl-dev'], folder);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb')))
    run('dpkg-deb', ['-x', join(folder, name), join(folder, 'root')], folder);
  for (const name of ['state', 'cache']) rmSync(join(folder, name), { recursive: true });
}

function linkKernelHeaders(arch, folder) {
  const target = join(folder, 'kernel-headers');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const gnu = GNU_FOLDERS[arch];
  const places = [`/usr/${gnu}/include`, `/usr/include/${gnu}`, '/usr/include'];
  for (const name of KERNEL_HEADERS) {
    const isOwn = (place) => existsSync(join(place, name)) && (place !== '/usr/include' || isThisProcessor(arch));
    const place = places.find(isOwn);
    if (place === undefined) throw new Error(`There are no kernel headers (${name}) for ${gnu}`);
    symlinkSync(join(place, name), join(target, name));
  }
  return target;
}

/** Tests for the processor of this system, whose headers are in `/usr/include`. */
function isThisProcessor(arch) {
  return existsSync(`/usr/include/${GNU_FOLDERS[arch]}/asm`);
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}
