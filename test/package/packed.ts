/** The package as `npm` publishes it, and a folder of somebody who installed it. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

import { attempt, type RunResult, run } from '../lab/program.js';

const PACKAGE = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string;
  version: string;
  dependencies: Record<string, string>;
};
/** Further packages, or their scopes, that the package and its user's compiler import, linked from this checkout. */
const NEIGHBOURS = new Set(
  [...Object.keys(PACKAGE.dependencies), '@types/node', 'undici-types'].map((name) => name.split('/')[0]!),
);
const TIMEOUT_MS = 120_000;

/** @returns Paths inside the package. */
export async function packedFiles(): Promise<ReadonlySet<string>> {
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [pack] = JSON.parse(await run('npm', words, { timeoutMs: TIMEOUT_MS })) as [{ files: { path: string }[] }];
  return new Set(pack.files.map(({ path }) => path));
}

/** A folder outside of the checkout that has the package in `node_modules`. `close` removes it. */
export class Consumer {
  readonly tarball: string;
  readonly folder = mkdtempSync(join(tmpdir(), 'wiretype-consumer-'));

  static async create(): Promise<Consumer> {
    const consumer = new Consumer();
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', consumer.folder], { timeoutMs: TIMEOUT_MS });
    const modules = join(consumer.folder, 'node_modules');
    mkdirSync(modules);
    await run('sh', ['-c', 'tar -xzf "$0" -C "$1"', consumer.tarball, modules]);
    renameSync(join(modules, 'package'), join(modules, 'wiretype'));
    for (const name of NEIGHBOURS) symlinkSync(resolve('node_modules', name), join(modules, name));
    consumer.write('package.json', '{ "type": "module" }');
    return consumer;
  }

  private constructor() {
    this.tarball = join(this.folder, `${PACKAGE.name}-${PACKAGE.version}.tgz`);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  copy(path: string): void {
    copyFileSync(path, join(this.folder, basename(path)));
  }

  /** Compiles a module under strict rules, with the package's declarations checked. Errors are on standard output. */
  async compile(name: string, module = '--module nodenext'): Promise<RunResult> {
    const compiler = resolve('node_modules/typescript/bin/tsc');
    const rules = `${module} --strict --exactOptionalPropertyTypes --target es2023 --types node --skipLibCheck false`;
    return await this.#attempt(process.execPath, compiler, ...rules.split(' '), name);
  }

  async node(...words: readonly string[]): Promise<RunResult> {
    return await this.#attempt(process.execPath, ...words);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #attempt(...command: readonly string[]): Promise<RunResult> {
    const words = ['-c', 'cd "$0" && exec "$@"', this.folder, ...command];
    return await attempt('sh', words, { timeoutMs: TIMEOUT_MS });
  }
}
