import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { WireGuardError } from '../core/errors.js';
import { createPrivateFile } from './private-file.js';
import type { OpenSqlite, SqlConnection } from './sqlite.js';
import { explainSqliteError } from './sqlite-error.js';

const LOCK_FILE = 'gateway.lock';
const PID_FILE = 'gateway.pid';

/**
 * The lock of a state folder, which the system drops when its process ends, however it ends.
 *
 * The lock is that of an empty database in an exclusive transaction: SQLite locks files on every system on which it runs.
 * A lock of its own stays in place while `state.db` is replaced by a backup. A file beside it names the process.
 */
export class FolderLock {
  readonly #connection: SqlConnection;

  /** @throws {WireGuardError} ERR_STORE_IN_USE, with the id of the process that holds it. */
  static acquire(sqlite: OpenSqlite, folder: string): FolderLock {
    const connection = openLock(sqlite, folder);
    try {
      connection.exec('BEGIN EXCLUSIVE');
      leaveName(folder);
      return new FolderLock(connection);
    } catch (error) {
      connection.close();
      throw refusal(error, folder);
    }
  }

  private constructor(connection: SqlConnection) {
    this.#connection = connection;
  }

  release(): void {
    this.#connection.close();
  }
}

function openLock(sqlite: OpenSqlite, folder: string): SqlConnection {
  const path = join(folder, LOCK_FILE);
  createPrivateFile(path, 'a');
  try {
    return sqlite(path);
  } catch (error) {
    throw explainSqliteError(error, path);
  }
}

/** Names this process as the holder. On a full disk the file is empty, and the lock holds all the same. */
function leaveName(folder: string): void {
  try {
    writeFileSync(join(folder, PID_FILE), `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}

function refusal(error: unknown, folder: string): unknown {
  const explained = explainSqliteError(error, join(folder, LOCK_FILE));
  if (!(explained instanceof WireGuardError) || explained.code !== 'ERR_STORE_IN_USE') return explained;
  return new WireGuardError('ERR_STORE_IN_USE', `${folder} is in use by ${holderOf(folder)}`, { cause: error });
}

function holderOf(folder: string): string {
  const path = join(folder, PID_FILE);
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : Number.NaN;
  return Number.isNaN(pid) ? 'another process' : `another gateway, process ${pid}`;
}
