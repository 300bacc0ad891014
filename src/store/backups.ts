import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { WireGuardError } from '../core/errors.js';
import type { Database } from './database.js';
import { attemptFile, createPrivateFile, syncFile } from './private-file.js';

/** A copy of `state.db` that the gateway made by itself. */
export interface Backup {
  readonly path: string;
  readonly atUnixMs: number;
  readonly bytes: number;
}

const KEPT_BACKUPS = 7;
const DAY_MS = 86_400_000;
const PARTIAL = '.partial';
const NAME = /^state-(\d{4}-\d\d-\d\dT)(\d\d)(\d\d)(\d\d)Z\.db$/;

/** The folder of daily backups, beside `state.db`. */
export class BackupFolder {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, 'backups');
  }

  /** Returns the backups, the newest first. */
  list(): readonly Backup[] {
    if (statSync(this.#folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
    return attemptFile(this.#folder, () => readdirSync(this.#folder).flatMap((name) => this.#backupOf(name))).sort(
      (left, right) => right.atUnixMs - left.atUnixMs,
    );
  }

  /** Returns whether a day has passed since the last backup. One from a time to come, by a wrong clock, does not count. */
  isDue(nowUnixMs: number): boolean {
    return !this.list().some(({ atUnixMs }) => Math.abs(nowUnixMs - atUnixMs) < DAY_MS);
  }

  /** Makes a backup, and removes those beyond the newest seven. @returns Its path. */
  make(database: Database, nowUnixMs: number): string {
    attemptFile(this.#folder, () => mkdirSync(this.#folder, { recursive: true, mode: 0o700 }));
    const path = join(this.#folder, nameOf(nowUnixMs));
    if (!existsSync(path)) writeBackup(database, path);
    this.#removeOld(path, nowUnixMs);
    return path;
  }

  #removeOld(made: string, nowUnixMs: number): void {
    const isToCome = ({ atUnixMs }: Backup) => atUnixMs > nowUnixMs + DAY_MS;
    const others = this.list().filter(({ path }) => path !== made);
    const byWorth = [...others.filter((backup) => !isToCome(backup)), ...others.filter(isToCome)];
    for (const { path } of byWorth.slice(KEPT_BACKUPS - 1)) attemptFile(path, () => rmSync(path));
  }

  #backupOf(name: string): Backup[] {
    const [, day, hour, minute, second] = NAME.exec(name) ?? [];
    if (day === undefined) return [];
    const path = join(this.#folder, name);
    return [{ path, atUnixMs: Date.parse(`${day}${hour}:${minute}:${second}Z`), bytes: statSync(path).size }];
  }
}

/**
 * Writes a copy of a database to a new file of mode 0600. The file has its name when it is whole and on disk.
 *
 * @throws {WireGuardError} ERR_STORE_FILE: there is such a file, or it cannot be written. ERR_STORE_FULL
 */
export function writeBackup(database: Database, path: string): void {
  if (existsSync(path)) throw new WireGuardError('ERR_STORE_FILE', `${path} exists, and is not overwritten`);
  const partial = path + PARTIAL;
  rmSync(partial, { force: true });
  createPrivateFile(partial, 'wx');
  try {
    database.attempt(() => database.statement('VACUUM INTO ?').run(partial));
    syncFile(partial);
    attemptFile(path, () => renameSync(partial, path));
    syncFile(dirname(path));
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** `state-2026-11-26T092717Z.db`: colons are left out, since other systems refuse them in names. */
function nameOf(unixMs: number): string {
  return `state-${timeInNames(unixMs)}.db`;
}

/** Writes a moment as names of files have it: `2026-11-26T092717Z`. */
export function timeInNames(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replaceAll(':', '')}Z`;
}
