/** The C programs of the benchmarks, compiled when they are needed. */
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { CHECKOUT } from '../test/lab/implementation.js';
import { attempt } from '../test/lab/program.js';

const SOURCES = join(CHECKOUT, 'bench');
const WORDS = ['-std=gnu17', '-O2', '-w'];
/** Compiled programs go here. */
export const PROGRAMS = join(CHECKOUT, 'dist/bench/programs');

/** OpenSSL's headers come with Node's own, beside the program or where scripts/addon.mjs keeps them; the library is the system's. */
const INCLUDES = [
  join(dirname(process.execPath), '../include/node'),
  join(CHECKOUT, 'build/headers', process.versions.node, 'include/node'),
].map((folder) => `-I${folder}`);
export const OPENSSL = ['-l:libcrypto.so.3'];

/**
 * Compiles a program of one file.
 *
 * @returns Its path, or `undefined` if it does not compile.
 */
export async function buildSource(source: string, libraries: readonly string[] = []): Promise<string | undefined> {
  const program = join(PROGRAMS, `${basename(source, '.c')}-${hash(source)}`);
  if (modifiedMs(program) >= modifiedMs(source) && modifiedMs(program) > 0) return program;
  mkdirSync(PROGRAMS, { recursive: true });
  const { status, stderr } = await attempt('cc', [...WORDS, ...INCLUDES, '-o', program, source, ...libraries]);
  if (status !== 0) process.stderr.write(stderr);
  return status === 0 ? program : undefined;
}

/** The sender and counter of datagrams. @throws {Error} If it does not compile. */
export async function datagramsTool(): Promise<string> {
  const program = await buildSource(join(SOURCES, 'datagrams.c'));
  if (program === undefined) throw new Error('bench/datagrams.c does not compile: it needs cc');
  return program;
}

/** The TCP servers. @throws {Error} If they do not compile. */
export async function streamsTool(): Promise<string> {
  const program = await buildSource(join(SOURCES, 'streams.c'));
  if (program === undefined) throw new Error('bench/streams.c does not compile: it needs cc');
  return program;
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Sources of one name in different folders are different programs. */
function hash(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 8);
}
