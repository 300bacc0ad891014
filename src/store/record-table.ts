import type { Database } from './database.js';
import type { SqlRow, SqlValue } from './sqlite.js';

/** Columns of a table beside its record, and where their values come from. */
export type RecordColumns<T> = Readonly<Record<string, (record: T) => SqlValue>>;

/**
 * A table of `state.db` whose records are JSON, in the order in which they came.
 *
 * The first column identifies a record: `put` replaces the record that has the same value there. Call the methods within
 * a transaction or `Database.attempt`.
 */
export class RecordTable<T> {
  readonly #database: Database;
  readonly #name: string;
  readonly #columns: RecordColumns<T>;
  readonly #key: string;
  readonly #putSql: string;

  constructor(database: Database, name: string, columns: RecordColumns<T>) {
    const names = Object.keys(columns);
    this.#database = database;
    this.#name = name;
    this.#columns = columns;
    this.#key = names[0]!;
    this.#putSql =
      `INSERT INTO ${name} (${names.join(', ')}, record) VALUES (${names.map(() => '?').join(', ')}, ?) ` +
      `ON CONFLICT (${this.#key}) DO UPDATE SET ` +
      [...names, 'record'].map((column) => `${column} = excluded.${column}`).join(', ');
  }

  put(record: T): void {
    const values = Object.values(this.#columns).map((read) => read(record));
    this.#database.statement(this.#putSql).run(...values, JSON.stringify(record));
  }

  remove(key: string): void {
    this.removeWhere(`${this.#key} = ?`, key);
  }

  /** @param condition SQL over the columns of the table. */
  removeWhere(condition: string, ...values: SqlValue[]): void {
    this.#database.statement(`DELETE FROM ${this.#name} WHERE ${condition}`).run(...values);
  }

  get(key: string): T | undefined {
    return this.where(`${this.#key} = ?`, key)[0];
  }

  all(): readonly T[] {
    return this.where('TRUE');
  }

  where(condition: string, ...values: SqlValue[]): readonly T[] {
    const sql = `SELECT record FROM ${this.#name} WHERE ${condition} ORDER BY position`;
    return this.#database
      .statement(sql)
      .all(...values)
      .map(recordOf<T>);
  }

  /**
   * Changes a member of a record in its place, if a condition holds.
   *
   * @param path Place in the record, such as `$.lastUsedAtUnixMs`.
   * @param integer Cast, since Node binds each number as a floating-point one.
   * @returns Whether there was such a record.
   */
  setMember(key: string, path: string, integer: number, condition: string, ...values: SqlValue[]): boolean {
    const value = 'json_set(record, ?, CAST(? AS INTEGER))';
    const sql = `UPDATE ${this.#name} SET record = ${value} WHERE ${this.#key} = ? AND (${condition})`;
    return Number(this.#database.statement(sql).run(path, integer, key, ...values).changes) > 0;
  }
}

/** Reads the record of a row, which this program has written. */
export function recordOf<T>(row: SqlRow): T {
  return JSON.parse(row['record'] as string) as T;
}
