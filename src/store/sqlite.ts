import { WireGuardError } from '../core/errors.js';

/** Values that columns hold here: strict tables without blobs. */
export type SqlValue = string | number | null;

export type SqlRow = Readonly<Record<string, unknown>>;

/** A compiled statement. Values take the places of its question marks, in order. */
export interface SqlStatement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): readonly SqlRow[];
  iterate(...values: SqlValue[]): Iterable<SqlRow>;
}

/** An open database file: the part of `DatabaseSync` of `node:sqlite` that the store uses. */
export interface SqlConnection {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

export type OpenSqlite = (path: string) => SqlConnection;

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options: { readonly timeout: number }) => SqlConnection;
}

/**
 * Finds SQLite: the one of Node, or on Node 20 the package that has the same interface.
 *
 * @throws {WireGuardError} ERR_SQLITE_MISSING
 */
export async function loadSqlite(): Promise<OpenSqlite> {
  const { DatabaseSync } =
    (process.getBuiltinModule('node:sqlite') as SqliteModule | undefined) ?? (await substitute());
  // The folder's lock admits one process, so there is nobody to wait for.
  return (path) => new DatabaseSync(path, { timeout: 0 });
}

async function substitute(): Promise<SqliteModule> {
  try {
    return (await import('@photostructure/sqlite')) as unknown as SqliteModule;
  } catch (cause) {
    throw new WireGuardError('ERR_SQLITE_MISSING', `Node ${process.versions.node} has no SQLite`, { cause });
  }
}
