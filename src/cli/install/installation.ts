import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import type { PlannedFile } from './install-plan.js';
import {
  EMPTY_MANIFEST,
  type InstalledFile,
  type Manifest,
  manifestPath,
  removeManifest,
  writeManifest,
} from './manifest.js';

/** The step that an installation takes for a planned file. */
export type Step = 'make' | 'update' | 'replace' | 'keep';

/** A planned file and its step. `keep`: a link of npm to the package is there, or the same contents. */
export interface PlannedStep {
  readonly file: PlannedFile;
  readonly step: Step;
}

const SAVED_SUFFIX = '.before-wiretype';

/** The installed files of the package below one prefix. */
export class Installation {
  readonly #prefix: string;
  readonly #before: Manifest;

  /** @param before The record; absent: nothing is installed there. */
  constructor(prefix: string, before: Manifest = EMPTY_MANIFEST) {
    this.#prefix = prefix;
    this.#before = before;
  }

  /**
   * Compares the plan with what is there.
   *
   * @param mayKeepLink Decides whether to keep a link that leads to the same file of the package.
   * @throws {WireGuardError} ERR_INSTALL naming every file of somebody else that is in the way, unless `isForced`.
   */
  compare(
    files: readonly PlannedFile[],
    mayKeepLink: (file: PlannedFile) => boolean,
    isForced: boolean,
  ): PlannedStep[] {
    const steps = files.map((file) => ({ file, step: this.#stepFor(file, mayKeepLink(file)) }));
    const foreign = steps.filter(({ file, step }) => step === 'replace' && !isLinkTo(file.path, file.source));
    if (foreign.length === 0 || isForced) return steps;
    const paths = foreign.map(({ file }) => file.path).join(', ');
    throw new WireGuardError('ERR_INSTALL', `in the way: ${paths}; --force keeps a copy of each, for uninstall`);
  }

  /** Runs the steps, and removes the files of an older version. If one fails, everything is as it was before. */
  apply(steps: readonly PlannedStep[], version: string): Manifest {
    const changed = steps.filter(({ step }) => step !== 'keep').map(({ file }) => file);
    const files: InstalledFile[] = [];
    const folders: string[] = [...this.#before.folders];
    const undo: (() => void)[] = [];
    try {
      for (const file of changed) {
        const old = this.#installed(file.path);
        folders.push(...makeFolders(dirname(file.path), undo));
        files.push(place(file, old, undo));
      }
      folders.push(...makeFolders(dirname(manifestPath(this.#prefix)), undo));
      const stale = this.#before.files.filter(({ path }) => !steps.some(({ file }) => file.path === path));
      const manifest = { version, files, folders };
      writeManifest(this.#prefix, manifest);
      for (const file of stale) removeInstalled(file);
      return manifest;
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  /**
   * Removes everything that was made, and restores what was there before.
   *
   * @returns Files that were changed since, and are left.
   */
  remove(isForced: boolean): string[] {
    const left: string[] = [];
    for (const file of [...this.#before.files].reverse()) {
      if (isForced || isUnchanged(file)) removeInstalled(file);
      else left.push(file.path);
    }
    removeManifest(this.#prefix);
    for (const folder of [...this.#before.folders].reverse()) removeIfEmpty(folder);
    return left;
  }

  #stepFor(file: PlannedFile, mayKeepLink: boolean): Step {
    const { path, source } = file;
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return 'make';
    const old = this.#installed(path);
    if (old !== undefined && isUnchanged(old)) return 'update';
    if (old === undefined && mayKeepLink && isLinkTo(path, source)) return 'keep';
    return old === undefined && digestOf(path) === plannedDigest(file) ? 'keep' : 'replace';
  }

  #installed(path: string): InstalledFile | undefined {
    return this.#before.files.find((file) => file.path === path);
  }
}

/** Puts a file in its place. An existing file is kept beside it, unless it is ours. */
function place(file: PlannedFile, old: InstalledFile | undefined, undo: (() => void)[]): InstalledFile {
  const { path } = file;
  const draft = `${path}.${randomBytes(6).toString('hex')}.draft`;
  undo.push(() => rmSync(draft, { force: true }));
  writePlanned(file, draft);

  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const isOurs = old !== undefined && isUnchanged(old);
  const aside = isOurs ? `${draft}.old` : unusedName(`${path}${SAVED_SUFFIX}`);
  if (isThere) {
    renameSync(path, aside);
    undo.push(() => renameSync(aside, path));
  } else {
    undo.push(() => rmSync(path, { force: true }));
  }
  renameSync(draft, path);
  if (isThere && isOurs) rmLater(aside, undo);
  // Uninstall restores the file from before the first installation.
  const saved = old?.saved ?? (isThere && !isOurs ? aside : null);
  return { path, digest: plannedDigest(file), saved };
}

function unusedName(name: string): string {
  let unused = name;
  for (let i = 2; lstatSync(unused, { throwIfNoEntry: false }) !== undefined; i++) unused = `${name}-${i}`;
  return unused;
}

/** Removes an old file of ours, whose contents are kept for undoing. */
function rmLater(aside: string, undo: (() => void)[]): void {
  const isLink = lstatSync(aside).isSymbolicLink();
  const contents = isLink ? readlinkSync(aside) : readFileSync(aside);
  const { mode } = lstatSync(aside);
  rmSync(aside);
  undo.push(() => {
    if (isLink) symlinkSync(contents as string, aside);
    else writeFileSync(aside, contents, { mode: mode & 0o7777 });
  });
}

function writePlanned({ contents, isLink, mode }: PlannedFile, path: string): void {
  if (isLink) {
    symlinkSync(contents, path);
    return;
  }
  writeFileSync(path, contents, { flag: 'wx', mode });
  chmodSync(path, mode); // regardless of the umask
}

function removeInstalled({ path, saved }: InstalledFile): void {
  rmSync(path, { force: true });
  if (saved !== null && lstatSync(saved, { throwIfNoEntry: false }) !== undefined) renameSync(saved, path);
}

function isUnchanged({ path, digest }: InstalledFile): boolean {
  return digestOf(path) === digest;
}

/** @returns `undefined` for anything but a file or a link. */
function digestOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() === true) return `link ${readlinkSync(path)}`;
  return found?.isFile() === true ? digest(readFileSync(path)) : undefined;
}

function plannedDigest({ contents, isLink }: PlannedFile): string {
  return isLink ? `link ${contents}` : digest(contents);
}

function digest(contents: string | Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}

function isLinkTo(path: string, source: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true || !existsSync(path)) return false;
  return realpathSync(path) === realpathSync(source);
}

/** @returns The folders that were made, the outer ones first. */
function makeFolders(folder: string, undo: (() => void)[]): string[] {
  const made: string[] = [];
  for (let missing = folder; !existsSync(missing); missing = dirname(missing)) made.unshift(missing);
  mkdirSync(folder, { recursive: true });
  for (const path of made) {
    chmodSync(path, 0o755); // regardless of the umask
    undo.push(() => removeIfEmpty(path));
  }
  return made;
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
  }
}
