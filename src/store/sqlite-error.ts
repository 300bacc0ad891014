// The codes of values belong to that floor.
import type {} from '../control/control-errors.js';
import { WireGuardError } from '../core/errors.js';
import type {} from './store-errors.js';

/** Primary result codes of SQLite that a user can do something about. Source: sqlite.org/rescode.html. */
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
/** Extended codes have the primary code in their lowest byte. */
const PRIMARY_CODE = 0xff;

const UNIQUE_COLUMN = /^UNIQUE constraint failed: (\w+)\.(\w+)/;

/** @returns The primary result code, if SQLite threw the error. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & PRIMARY_CODE;
}

/** @returns Whether the content of the file is at fault, rather than the system. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** @returns The error for the user, or the error itself where it is none of his making: a mistake in a statement. */
export function explainSqliteError(error: unknown, path: string): unknown {
  const code = sqliteCodeOf(error);
  if (code === undefined) return error;
  const reason = (error as Error).message;
  switch (code) {
    case SQLITE_FULL:
      return new WireGuardError('ERR_STORE_FULL', `${path}: the disk is full`, { cause: error });
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new WireGuardError('ERR_STORE_DAMAGED', `${path} is damaged (${reason})`, { cause: error });
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new WireGuardError('ERR_STORE_IN_USE', `${path} is in use by another process`, { cause: error });
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return new WireGuardError('ERR_STORE_FILE', `${path}: ${reason}`, { cause: error });
    case SQLITE_CONSTRAINT:
      return explainConstraint(error, reason);
    default:
      return error;
  }
}

function explainConstraint(error: unknown, reason: string): unknown {
  const [, table, column] = UNIQUE_COLUMN.exec(reason) ?? [];
  if (table === undefined || column === undefined) return error;
  return new WireGuardError('ERR_VALUE', `two ${table} cannot have the same ${column.replaceAll('_', ' ')}`, {
    cause: error,
  });
}
