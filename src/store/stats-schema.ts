import type { Migrations } from './migrate.js';

/**
 * The tables of `stats.db`.
 *
 * `names` gives each device a small number, which keeps a row of traffic at about 20 bytes. Traffic starts are in seconds,
 * for the same reason; peaks are bytes per second. `upkeep` has the time up to which old rows were looked for.
 */
export const STATS_MIGRATIONS: Migrations = [
  `
  CREATE TABLE names (
    number INTEGER PRIMARY KEY,
    device TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE traffic (
    device INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    start_unix_seconds INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL,
    received_peak INTEGER NOT NULL,
    sent_peak INTEGER NOT NULL,
    PRIMARY KEY (device, tier, start_unix_seconds)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    device INTEGER NOT NULL,
    start_unix_ms INTEGER NOT NULL,
    end_unix_ms INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL,
    PRIMARY KEY (device, start_unix_ms)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE upkeep (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    until_unix_ms INTEGER NOT NULL
  ) STRICT
  `,
];
