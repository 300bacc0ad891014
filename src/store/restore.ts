import { chmodSync, constants, copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { WireGuardError } from '../core/errors.js';
import { AuditLog } from './audit-log.js';
import { Database } from './database.js';
import { attemptFile, createPrivateFile, syncFile } from './private-file.js';
import type { OpenSqlite } from './sqlite.js';
import { isDamage } from './sqlite-error.js';
import { STATE_APPLICATION_ID, STATE_MIGRATIONS } from './state-schema.js';

/**
 * Puts a backup in the place of `state.db`, which is closed. Whenever the process dies, one or the other is there, whole.
 *
 * @param backup It stays as it is.
 * @param aside New name of the file that is replaced.
 * @throws {WireGuardError} ERR_BACKUP: the backup is damaged, or is none. ERR_STORE_FILE, ERR_STORE_FULL. The state is as
 *   it was then.
 */
export function replaceState(sqlite: OpenSqlite, state: string, backup: string, aside: string): void {
  const copy = `${state}.new`;
  try {
    copyPrivately(backup, copy);
    checkBackup(sqlite, copy, backup);
    syncFile(copy);
    putAside(state, aside);
    attemptFile(state, () => renameSync(copy, state));
    syncFile(dirname(state));
  } finally {
    removeDatabase(copy);
  }
}

function copyPrivately(backup: string, copy: string): void {
  removeDatabase(copy);
  createPrivateFile(copy, 'wx');
  attemptFile(backup, () => {
    copyFileSync(backup, copy, constants.COPYFILE_FICLONE);
    // The copy has taken the mode of the backup.
    chmodSync(copy, 0o600);
  });
}

/**
 * Looks at a whole backup: pages, version, audit log.
 *
 * @param name The backup, for messages: the file that is looked at may be a copy.
 * @throws {WireGuardError} ERR_BACKUP
 */
export function checkBackup(sqlite: OpenSqlite, path: string, name: string): void {
  const database = Database.openToRead(sqlite, path);
  try {
    database.check();
    if (database.numberOf('application_id') !== STATE_APPLICATION_ID) refuse(name, 'is not the state of a gateway');
    const version = database.numberOf('user_version');
    if (version > STATE_MIGRATIONS.length) refuse(name, `was written by a later version of wiretype (${version})`);
    const verdict = new AuditLog(database).verify();
    if (!verdict.isIntact) refuse(name, `has an audit log that is broken at line ${verdict.brokenAt}`);
  } catch (error) {
    const { code, cause } = error as WireGuardError;
    if (code === 'ERR_STORE_DAMAGED' || isDamage(cause)) refuse(name, 'is damaged, or is no database', error);
    throw error;
  } finally {
    database.close();
  }
}

function refuse(name: string, why: string, cause?: unknown): never {
  throw new WireGuardError('ERR_BACKUP', `${name} ${why}`, { cause });
}

/** Gives the old file a second name; the first goes with the rename of the new file. Its log has nothing to add any more. */
function putAside(state: string, aside: string): void {
  attemptFile(state, () => {
    if (existsSync(state)) linkSync(state, aside);
    if (existsSync(`${state}-wal`)) renameSync(`${state}-wal`, `${aside}-wal`);
  });
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}
