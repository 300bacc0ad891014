import { WireGuardError } from '../core/errors.js';
import { createPrivateFile } from './private-file.js';
import type { OpenSqlite, SqlConnection, SqlStatement } from './sqlite.js';
import { explainSqliteError } from './sqlite-error.js';

/** How long a commit may be lost: `FULL` never, `NORMAL` with the last commits before a power failure. */
export type Durability = 'FULL' | 'NORMAL';

/**
 * A database file of this process alone.
 *
 * The write-ahead log is kept with its index in the heap (exclusive locking), so that a full disk cannot take a mapped
 * index away. The file has mode 0600, and so have the files that SQLite puts beside it.
 */
export class Database {
  readonly path: string;
  readonly #connection: SqlConnection;
  readonly #statements = new Map<string, SqlStatement>();

  /** @throws {WireGuardError} ERR_STORE_FILE, ERR_STORE_DAMAGED, ERR_STORE_IN_USE, ERR_STORE_FULL */
  static open(sqlite: OpenSqlite, path: string, durability: Durability): Database {
    createPrivateFile(path, 'a');
    const database = Database.#connect(sqlite, path);
    try {
      database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}`);
      database.exec('PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF');
      database.check();
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Opens a file that exists, to look into it. */
  static openToRead(sqlite: OpenSqlite, path: string): Database {
    return Database.#connect(sqlite, path);
  }

  static #connect(sqlite: OpenSqlite, path: string): Database {
    try {
      return new Database(path, sqlite(path));
    } catch (error) {
      throw explainSqliteError(error, path);
    }
  }

  private constructor(path: string, connection: SqlConnection) {
    this.path = path;
    this.#connection = connection;
  }

  /** @throws {WireGuardError} As the errors of SQLite translate: see `explainSqliteError`. */
  exec(sql: string): void {
    this.attempt(() => this.#connection.exec(sql));
  }

  /** Compiles a statement, once. Its methods throw errors of SQLite: run them within `attempt` or `transaction`. */
  statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs statements outside of a transaction. */
  attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainSqliteError(error, this.path);
    }
  }

  /** Runs statements that take effect together, and are on disk when this returns. Nothing is left where it throws. */
  transaction<T>(work: () => T): T {
    return this.attempt(() => {
      this.#connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#connection.exec('COMMIT');
        return result;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  /** @throws {WireGuardError} ERR_STORE_DAMAGED, with the first sentence of SQLite about it. */
  check(): void {
    const [row] = this.attempt(() => this.statement('PRAGMA quick_check(1)').all());
    const verdict = String(row?.['quick_check']);
    if (verdict !== 'ok') throw new WireGuardError('ERR_STORE_DAMAGED', `${this.path} is damaged (${verdict})`);
  }

  /** @param name A pragma that is a number, such as `user_version`. */
  numberOf(name: 'user_version' | 'application_id' | 'page_count' | 'page_size'): number {
    return Number(this.attempt(() => this.statement(`PRAGMA ${name}`).get())?.[name]);
  }

  /** Leaves one whole file, without a log beside it and without a lock on it. */
  close(): void {
    this.#statements.clear();
    this.#unlock();
    this.#connection.close();
  }

  /** The substitute for Node 20 keeps a file open as long as a statement lives: it must give the lock up before. */
  #unlock(): void {
    try {
      this.#connection.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema');
    } catch {
      // A damaged file, or a full disk: the log stays, and is read by the next that opens the file.
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full: there is no transaction to end.
    }
  }
}
