import type { DeviceSession } from '../gateway/gateway-model.js';
import type { Clock } from './clock.js';
import { Database } from './database.js';
import { LocalDays } from './local-days.js';
import { migrate } from './migrate.js';
import type { OpenSqlite, SqlRow } from './sqlite.js';
import { STATS_MIGRATIONS } from './stats-schema.js';
import { type StoredTrafficSample, type Traffic, type TrafficQuery, TrafficTable } from './traffic-table.js';
import { DAY_MS } from './traffic-tiers.js';

const UPKEEP_EVERY_MS = 3_600_000;
/** Sessions are kept as long as traffic by the hour. */
const SESSIONS_KEPT_MS = 400 * DAY_MS;
/** The newest sessions of a device in one answer. */
const MAX_SESSIONS = 10_000;

/** The file `stats.db`: traffic and sessions of devices. It may be deleted, and loses minutes at most in a power failure. */
export class StatsDatabase {
  readonly database: Database;
  readonly #traffic: TrafficTable;
  readonly #clock: Clock;
  #days = new LocalDays('UTC');
  #lastUpkeepMs = Number.NEGATIVE_INFINITY;

  /** @throws {WireGuardError} Among others ERR_STORE_DAMAGED: the caller puts the file aside. */
  static open(sqlite: OpenSqlite, path: string, clock: Clock): StatsDatabase {
    const database = Database.open(sqlite, path, 'NORMAL');
    try {
      migrate(database, STATS_MIGRATIONS);
      return new StatsDatabase(database, clock);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  private constructor(database: Database, clock: Clock) {
    this.database = database;
    this.#clock = clock;
    this.#traffic = new TrafficTable(database);
  }

  /** Sets where days begin, from here on. Days that are stored stay as they are. */
  setTimeZone(timeZone: string): void {
    if (timeZone !== this.#days.timeZone) this.#days = new LocalDays(timeZone);
  }

  addTraffic(startUnixMs: number, seconds: number, traffic: ReadonlyMap<string, Traffic>): void {
    this.database.transaction(() => {
      for (const [device, bytes] of traffic)
        this.#traffic.add(this.#numberOf(device), startUnixMs, seconds, bytes, this.#days);
      this.#keepUp();
    });
  }

  traffic(device: string, query: TrafficQuery): readonly StoredTrafficSample[] {
    return this.database.attempt(() => this.#traffic.read(device, query, this.#days, this.#clock.nowUnixMs()));
  }

  addSession({ device, startUnixMs, endUnixMs, receivedBytes, sentBytes }: DeviceSession): void {
    this.database.transaction(() => {
      this.database
        .statement('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)')
        .run(this.#numberOf(device), startUnixMs, endUnixMs, receivedBytes, sentBytes);
      this.#keepUp();
    });
  }

  /** Returns the sessions that overlap a period, the oldest first. */
  sessions(device: string, fromUnixMs: number, toUnixMs: number): readonly DeviceSession[] {
    const sql = `SELECT sessions.* FROM names JOIN sessions ON sessions.device = names.number
      WHERE names.device = ? AND start_unix_ms < ? AND end_unix_ms > ? ORDER BY start_unix_ms DESC LIMIT ${MAX_SESSIONS}`;
    const rows = this.database.attempt(() => this.database.statement(sql).all(device, toUnixMs, fromUnixMs));
    return rows.map((row) => sessionOf(device, row)).reverse();
  }

  /** Removes all of some devices. */
  forget(devices: readonly string[]): void {
    this.database.transaction(() => {
      const ofDevice = 'WHERE device = (SELECT number FROM names WHERE device = ?)';
      for (const device of devices) {
        this.database.statement(`DELETE FROM traffic ${ofDevice}`).run(device);
        this.database.statement(`DELETE FROM sessions ${ofDevice}`).run(device);
        this.database.statement('DELETE FROM names WHERE device = ?').run(device);
      }
    });
  }

  #numberOf(device: string): number {
    this.database.statement('INSERT INTO names (device) VALUES (?) ON CONFLICT DO NOTHING').run(device);
    return Number(this.database.statement('SELECT number FROM names WHERE device = ?').get(device)?.['number']);
  }

  /**
   * Removes old rows, once an hour while there is traffic.
   *
   * The time that counts follows the clock by a day per round at most, so a clock that jumps ahead, and is set right within
   * hours, does not cost the history.
   */
  #keepUp(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lastUpkeepMs < UPKEEP_EVERY_MS) return;
    this.#lastUpkeepMs = nowMs;
    const nowUnixMs = this.#clock.nowUnixMs();
    const stored = this.database.statement('SELECT until_unix_ms FROM upkeep').get()?.['until_unix_ms'];
    const until = stored === undefined ? nowUnixMs : Math.min(nowUnixMs, Number(stored) + DAY_MS);
    this.database
      .statement('INSERT INTO upkeep VALUES (1, ?) ON CONFLICT DO UPDATE SET until_unix_ms = excluded.until_unix_ms')
      .run(until);
    this.#traffic.removeOld(until);
    this.database.statement('DELETE FROM sessions WHERE end_unix_ms < ?').run(until - SESSIONS_KEPT_MS);
  }
}

function sessionOf(device: string, row: SqlRow): DeviceSession {
  return {
    device,
    startUnixMs: Number(row['start_unix_ms']),
    endUnixMs: Number(row['end_unix_ms']),
    receivedBytes: Number(row['received_bytes']),
    sentBytes: Number(row['sent_bytes']),
  };
}
