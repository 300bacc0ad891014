import { WireGuardError } from '../core/errors.js';
import type { Database } from './database.js';

/** Statements that lead from one version of a file to the next. The first leads from an empty file to version 1. */
export type Migrations = readonly string[];

/**
 * Brings a file to the newest version, step by step. Each step is there whole or not at all.
 *
 * @param beforeChange Called before the first step of a file that has content.
 * @throws {WireGuardError} ERR_STORE_NEWER: a later version of wiretype wrote the file. It is left as it is.
 */
export function migrate(database: Database, migrations: Migrations, beforeChange?: () => void): void {
  const version = database.numberOf('user_version');
  if (version > migrations.length) {
    throw new WireGuardError(
      'ERR_STORE_NEWER',
      `${database.path} has version ${version}, and this wiretype reads up to ${migrations.length}`,
    );
  }
  if (version > 0 && version < migrations.length) beforeChange?.();
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database.transaction(() => database.exec(`${sql}; PRAGMA user_version = ${index + 1}`));
  }
}
