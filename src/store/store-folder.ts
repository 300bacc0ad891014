import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { WireGuardError } from '../core/errors.js';
import { type Backup, BackupFolder, timeInNames, writeBackup } from './backups.js';
import type { Clock } from './clock.js';
import { FolderLock } from './folder-lock.js';
import { attemptFile } from './private-file.js';
import { replaceState } from './restore.js';
import type { OpenSqlite } from './sqlite.js';
import { StateDatabase } from './state-database.js';
import { StatsDatabase } from './stats-database.js';
import type { StoreHealth } from './store-health.js';

/** A backup that failed is tried again with the first change after this. */
const RETRY_BACKUP_MS = 3_600_000;

/** The folder of a gateway's state: its lock, its two databases and its backups, all in the thread that calls. */
export class StoreFolder {
  readonly #sqlite: OpenSqlite;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #lock: FolderLock;
  readonly #backups: BackupFolder;
  #state: StateDatabase;
  readonly #stats: StatsDatabase;
  #statsSetAside: string | undefined;
  #backupProblem: string | undefined;
  #backedUpRevision = -1;
  #retryBackupMs = Number.NEGATIVE_INFINITY;

  /**
   * Opens a folder, or creates it with mode 0700. A damaged `stats.db` is put aside.
   *
   * @throws {WireGuardError} ERR_STORE_IN_USE, ERR_STORE_NEWER, ERR_STORE_FILE, ERR_STORE_FULL. ERR_STORE_DAMAGED:
   *   `state.db` is damaged or gone; it stays in its place until `restoreFolder` puts it aside.
   */
  static open(sqlite: OpenSqlite, folder: string, clock: Clock): StoreFolder {
    const lock = lockFolder(sqlite, folder);
    try {
      return new StoreFolder(sqlite, folder, clock, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(sqlite: OpenSqlite, folder: string, clock: Clock, lock: FolderLock) {
    this.#sqlite = sqlite;
    this.#folder = folder;
    this.#clock = clock;
    this.#lock = lock;
    this.#backups = new BackupFolder(folder);
    this.#state = this.#openState();
    try {
      this.#stats = this.#openStats();
    } catch (error) {
      this.#state.database.close();
      throw error;
    }
    this.followSettings();
  }

  get state(): StateDatabase {
    return this.#state;
  }

  get stats(): StatsDatabase {
    return this.#stats;
  }

  /** Takes the time zone of the settings over, in which days of traffic begin. */
  followSettings(): void {
    this.#stats.setTimeZone(this.#state.load()?.settings.timeZone ?? 'UTC');
  }

  /** Makes the backup of the day, if something has changed since the last one. Never throws: `health` has the problem. */
  keepBackups(): void {
    if (this.#clock.nowMs() < this.#retryBackupMs) return;
    try {
      const revision = this.#revision();
      if (revision === 0 || revision === this.#backedUpRevision) return;
      const nowUnixMs = this.#clock.nowUnixMs();
      if (!this.#backups.isDue(nowUnixMs)) return;
      this.#backups.make(this.#state.database, nowUnixMs);
      this.#backedUpRevision = revision;
      this.#backupProblem = undefined;
    } catch (error) {
      if (!(error instanceof WireGuardError)) throw error;
      this.#backupProblem = error.message;
      this.#retryBackupMs = this.#clock.nowMs() + RETRY_BACKUP_MS;
    }
  }

  /** Removes the history of devices that are gone for good. Should the disk refuse, old numbers stay, and do no harm. */
  forgetHistory(devices: readonly string[]): void {
    try {
      this.#stats.forget(devices);
    } catch (error) {
      if (!(error instanceof WireGuardError)) throw error;
    }
  }

  backup(path: string): void {
    writeBackup(this.#state.database, path);
  }

  /** Takes the state of a backup, and keeps the state until now aside. @returns The path of the state until now. */
  restore(backup: string): string {
    const aside = asidePath(this.#folder, 'replaced', this.#clock);
    this.#state.database.close();
    try {
      replaceState(this.#sqlite, statePath(this.#folder), backup, aside);
    } finally {
      this.#state = this.#openState();
    }
    this.followSettings();
    return aside;
  }

  health(): StoreHealth {
    return {
      folder: this.#folder,
      revision: this.#revision(),
      stateBytes: sizeOf(this.#state.database),
      statsBytes: sizeOf(this.#stats.database),
      backups: this.#backups.list(),
      ...(this.#statsSetAside === undefined ? {} : { statsSetAside: this.#statsSetAside }),
      ...(this.#backupProblem === undefined ? {} : { backupProblem: this.#backupProblem }),
    };
  }

  close(): void {
    this.#state.database.close();
    this.#stats.database.close();
    this.#lock.release();
  }

  #revision(): number {
    return this.#state.database.attempt(() => this.#state.audit.revision());
  }

  #openState(): StateDatabase {
    const path = statePath(this.#folder);
    const [newest] = this.#backups.list();
    if (!existsSync(path) && newest !== undefined) throw damaged(`${path} is missing`, newest);
    try {
      return StateDatabase.open(this.#sqlite, path, (old) => this.#backups.make(old, this.#clock.nowUnixMs()));
    } catch (error) {
      if (isOfCode(error, 'ERR_STORE_DAMAGED')) throw damaged(error.message, newest, error);
      throw error;
    }
  }

  #openStats(): StatsDatabase {
    const path = join(this.#folder, 'stats.db');
    try {
      return StatsDatabase.open(this.#sqlite, path, this.#clock);
    } catch (error) {
      if (!isOfCode(error, 'ERR_STORE_DAMAGED')) throw error;
      const aside = `${path}.damaged-${timeInNames(this.#clock.nowUnixMs())}`;
      for (const suffix of ['-wal', ''])
        if (existsSync(path + suffix)) attemptFile(path, () => renameSync(path + suffix, aside + suffix));
      this.#statsSetAside = aside;
      return StatsDatabase.open(this.#sqlite, path, this.#clock);
    }
  }
}

/**
 * Restores a folder that does not open, or that no gateway uses.
 *
 * @param backup Absent: the newest of the daily backups.
 * @returns The path of the backup, and where the state until now is kept.
 * @throws {WireGuardError} ERR_BACKUP, ERR_STORE_IN_USE, ERR_STORE_FILE, ERR_STORE_FULL
 */
export function restoreFolder(
  sqlite: OpenSqlite,
  folder: string,
  clock: Clock,
  backup?: string,
): { readonly backup: string; readonly aside: string } {
  const lock = lockFolder(sqlite, folder);
  try {
    const chosen = backup ?? new BackupFolder(folder).list()[0]?.path;
    if (chosen === undefined) throw new WireGuardError('ERR_BACKUP', `${folder} has no backup`);
    const isSound = settleState(sqlite, statePath(folder));
    const aside = asidePath(folder, isSound ? 'replaced' : 'damaged', clock);
    replaceState(sqlite, statePath(folder), chosen, aside);
    return { backup: chosen, aside };
  } finally {
    lock.release();
  }
}

/** Writes what is in the log of a sound state into its file, so that the file alone is whole. @returns Whether it is sound. */
function settleState(sqlite: OpenSqlite, path: string): boolean {
  if (!existsSync(path)) return true;
  try {
    StateDatabase.open(sqlite, path).database.close();
    return true;
  } catch (error) {
    if (isOfCode(error, 'ERR_STORE_DAMAGED') || isOfCode(error, 'ERR_STORE_NEWER')) return false;
    throw error;
  }
}

function lockFolder(sqlite: OpenSqlite, folder: string): FolderLock {
  attemptFile(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  return FolderLock.acquire(sqlite, folder);
}

function statePath(folder: string): string {
  return join(folder, 'state.db');
}

function asidePath(folder: string, why: 'damaged' | 'replaced', clock: Clock): string {
  const path = `${statePath(folder)}.${why}-${timeInNames(clock.nowUnixMs())}`;
  if (!existsSync(path)) return path;
  let number = 2;
  while (existsSync(`${path}-${number}`)) number++;
  return `${path}-${number}`;
}

function damaged(what: string, newest: Backup | undefined, cause?: unknown): WireGuardError {
  const offer = newest === undefined ? 'there is no backup' : `the last backup is ${newest.path}`;
  return new WireGuardError('ERR_STORE_DAMAGED', `${what}; ${offer}`, { cause });
}

function isOfCode(error: unknown, code: WireGuardError['code']): error is WireGuardError {
  return error instanceof WireGuardError && error.code === code;
}

function sizeOf(database: StateDatabase['database']): number {
  return database.numberOf('page_count') * database.numberOf('page_size');
}
