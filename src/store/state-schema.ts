import type { Migrations } from './migrate.js';

/** Marks a file as the state of a gateway: "wtgw" in ASCII. */
export const STATE_APPLICATION_ID = 0x77746777;

/**
 * The tables of `state.db`.
 *
 * A record is JSON; the columns beside it are those that statements look up or that must be unique. `position` keeps the
 * order in which records came, through a backup too. Never change a step that was released: add one, with a fixture of
 * the version before in `test/store/fixtures/`.
 */
export const STATE_MIGRATIONS: Migrations = [
  `
  PRAGMA application_id = ${STATE_APPLICATION_ID};

  CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at_unix_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    object TEXT,
    details TEXT NOT NULL CHECK (json_valid(details)),
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_keeps_its_lines BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'lines of the audit log do not change'); END;
  CREATE TRIGGER audit_loses_no_line BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'lines of the audit log stay'); END;

  CREATE TABLE settings (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;

  CREATE TABLE devices (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;

  CREATE TABLE rules (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;

  CREATE TABLE people (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    identity TEXT UNIQUE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;

  CREATE TABLE passkeys (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX passkeys_of_person ON passkeys (person);

  CREATE TABLE sign_ins (
    position INTEGER PRIMARY KEY,
    id_hash TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    expires_at_unix_ms INTEGER NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX sign_ins_of_person ON sign_ins (person);

  CREATE TABLE tokens (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL UNIQUE,
    person TEXT REFERENCES people (id) ON DELETE CASCADE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX tokens_of_person ON tokens (person);

  CREATE TABLE links (
    position INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    person TEXT REFERENCES people (id) ON DELETE CASCADE,
    expires_at_unix_ms INTEGER NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX links_of_person ON links (person);

  CREATE TABLE webhooks (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;

  CREATE TABLE deliveries (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    due_at_unix_ms INTEGER,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT;
  CREATE INDEX deliveries_due ON deliveries (due_at_unix_ms) WHERE due_at_unix_ms IS NOT NULL;
  CREATE INDEX deliveries_of_webhook ON deliveries (webhook, position)
  `,
  `
  CREATE TABLE invitations (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL CHECK (json_valid(record))
  ) STRICT
  `,
];
