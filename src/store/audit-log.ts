import { createHash } from 'node:crypto';
import type { AuditEntry } from '../gateway/gateway-store.js';
import type { Database } from './database.js';
import type { SqlRow } from './sqlite.js';

/** A line of the audit log as it is stored. */
export type AuditLine = AuditEntry & { readonly number: number; readonly hash: string };

/** Whether the audit log is as it was written. */
export type AuditVerdict =
  | { readonly isIntact: true; readonly lines: number; readonly hash: string }
  | {
      readonly isIntact: false;
      /** Number of the first line that is missing or was changed. */
      readonly brokenAt: number;
    };

/** The hash that the first line is chained to. */
const NO_HASH = '';

/**
 * The audit log: lines are added, and neither changed nor removed.
 *
 * The hash of a line covers the hash of the line before, so a change of any line shows in all later hashes. The head keeps
 * number and hash of the last line, so lines that are cut off at the end are missed as well. Whoever can write the file
 * could compute the whole chain anew: to notice that, compare the last hash with one that was written down elsewhere.
 */
export class AuditLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a line, within the transaction of what it tells about. @returns Its number, which is the revision. */
  append(entry: AuditEntry): number {
    const head = this.#head();
    const number = head.number + 1;
    const details = JSON.stringify(entry.details);
    const line = { number, ...entry, details };
    const hash = hashOf(head.hash, line);
    this.#database
      .statement('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(number, entry.atUnixMs, entry.actor, entry.operation, entry.object ?? null, details, hash);
    this.#database
      .statement(
        'INSERT INTO head VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision, hash = excluded.hash',
      )
      .run(number, hash);
    return number;
  }

  /** Number of the last line; 0: there is none. */
  revision(): number {
    return this.#head().number;
  }

  /**
   * Returns lines, newest first.
   *
   * @param before Number of the line to go on from.
   * @param operations Only lines about these.
   */
  lines(limit: number, before = Number.MAX_SAFE_INTEGER, operations: readonly string[] = []): readonly AuditLine[] {
    const condition = operations.length === 0 ? '' : `AND operation IN (${operations.map(() => '?').join(', ')})`;
    return this.#database
      .statement(`SELECT * FROM audit WHERE number < ? ${condition} ORDER BY number DESC LIMIT ?`)
      .all(before, ...operations, limit)
      .map((row) => ({ ...entryOf(row), details: JSON.parse(row['details'] as string), hash: row['hash'] as string }));
  }

  verify(): AuditVerdict {
    let number = 0;
    let hash = NO_HASH;
    for (const row of this.#database.statement('SELECT * FROM audit ORDER BY number').iterate()) {
      number++;
      const line = entryOf(row);
      hash = hashOf(hash, line);
      if (line.number !== number || row['hash'] !== hash) return { isIntact: false, brokenAt: number };
    }
    const head = this.#head();
    if (head.number !== number || head.hash !== hash) return { isIntact: false, brokenAt: number + 1 };
    return { isIntact: true, lines: number, hash };
  }

  #head(): { readonly number: number; readonly hash: string } {
    const row = this.#database.statement('SELECT revision, hash FROM head').get();
    return row === undefined
      ? { number: 0, hash: NO_HASH }
      : { number: Number(row['revision']), hash: String(row['hash']) };
  }
}

/** A line with its details as the text that is stored. */
type LineText = Omit<AuditEntry, 'details'> & { readonly number: number; readonly details: string };

function entryOf(row: SqlRow): LineText {
  return {
    number: Number(row['number']),
    atUnixMs: Number(row['at_unix_ms']),
    actor: String(row['actor']),
    operation: String(row['operation']),
    ...(row['object'] === null ? {} : { object: String(row['object']) }),
    details: String(row['details']),
  };
}

/** SHA-256 of the hash before and of the line, written as one array of JSON: no two lines have the same text. */
function hashOf(before: string, { number, atUnixMs, actor, operation, object, details }: LineText): string {
  const text = JSON.stringify([before, number, atUnixMs, actor, operation, object ?? null, details]);
  return createHash('sha256').update(text).digest('hex');
}
