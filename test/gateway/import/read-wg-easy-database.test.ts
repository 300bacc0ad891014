import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { formatKey } from '../../../src/control/key-text.js';
import { generateKeyPair } from '../../../src/crypto/key-pair.js';
import { gatewayOf } from '../../../src/gateway/import/import-gateway.js';
import { isSqliteFile, readWgEasyDatabase } from '../../../src/gateway/import/read-wg-easy-database.js';
import { loadSqlite, type SqlConnection } from '../../../src/store/sqlite.js';
import { SETTINGS } from '../../server/server-lab.js';

const newKey = (): string => formatKey(generateKeyPair().publicKey);

/** The columns that are read, and some that are not. */
const SCHEMA = `
  CREATE TABLE interfaces_table (name TEXT PRIMARY KEY, device TEXT, port INTEGER, private_key TEXT, public_key TEXT,
    ipv4_cidr TEXT, ipv6_cidr TEXT, mtu INTEGER, enabled INTEGER);
  CREATE TABLE clients_table (id INTEGER PRIMARY KEY, interface_id TEXT, name TEXT, ipv4_address TEXT, ipv6_address TEXT,
    pre_up TEXT DEFAULT '', post_up TEXT DEFAULT '', pre_down TEXT DEFAULT '', post_down TEXT DEFAULT '', private_key TEXT,
    public_key TEXT, pre_shared_key TEXT, expires_at TEXT, enabled INTEGER, created_at TEXT);`;

async function withDatabase(test: (database: SqlConnection, path: string) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wiretype-import-'));
  const path = join(folder, 'wg-easy.db');
  const database = (await loadSqlite())(path);
  try {
    database.exec(SCHEMA);
    test(database, path);
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function addServer(database: SqlConnection, privateKey: string): void {
  database
    .prepare(
      "INSERT INTO interfaces_table VALUES ('wg0', 'eth0', 51820, ?, '', '10.8.0.0/24', 'fdcc:ad94::/112', 1420, 1)",
    )
    .run(privateKey);
}

function addClient(
  database: SqlConnection,
  name: string,
  last: number,
  more: { enabled?: number; hook?: string } = {},
): void {
  const { enabled = 1, hook = '' } = more;
  const secret = 'a private key that nobody reads';
  const values = [
    name,
    `10.8.0.${last}`,
    `fdcc:ad94::${last}`,
    hook,
    secret,
    newKey(),
    newKey(),
    '2030-01-02T03:04:05.000Z',
  ];
  database
    .prepare(
      'INSERT INTO clients_table (name, ipv4_address, ipv6_address, post_up, private_key, public_key, pre_shared_key, ' +
        "expires_at, enabled, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '2025-01-02 03:04:05')",
    )
    .run(...values, enabled);
}

describe('the database of wg-easy 15', () => {
  it('becomes a gateway with the same key, networks, addresses and names', () =>
    withDatabase((database, path) => {
      assert.equal(isSqliteFile(readFileSync(path)), true);
      const { privateKey } = generateKeyPair();
      addServer(database, formatKey(privateKey));
      addClient(database, 'phone', 2);
      addClient(database, 'laptop', 3, { enabled: 0, hook: 'reboot' });
      const imported = readWgEasyDatabase((sql) => database.prepare(sql).all(), 'wg-easy.db');
      const made = gatewayOf(imported, 'wg-easy.db', SETTINGS, 0);
      assert.deepEqual([...made.privateKey], [...privateKey]);
      const { subnet4, subnet6, listenPort, mtu } = made.settings;
      assert.deepEqual([subnet4, subnet6, listenPort, mtu], ['10.8.0.0/24', 'fdcc:ad94::/112', 51_820, 1_420]);
      const [phone, laptop] = made.devices;
      assert.deepEqual([phone!.name, phone!.addresses], ['phone', ['10.8.0.2', 'fdcc:ad94::2']]);
      assert.equal(phone!.createdAtUnixMs, Date.UTC(2025, 0, 2, 3, 4, 5));
      assert.equal(phone!.expiresAtUnixMs, Date.UTC(2030, 0, 2, 3, 4, 5));
      assert.deepEqual([phone!.isBlocked, laptop!.isBlocked], [false, true]);
      assert.deepEqual(made.leftOut, ['wg-easy.db: the hooks of laptop are not taken over']);
      assert.doesNotMatch(JSON.stringify(made), /nobody reads/);
    }));

  it('is refused with the table and column that is wrong, and never with a key', () =>
    withDatabase((database) => {
      const read = () => readWgEasyDatabase((sql) => database.prepare(sql).all(), 'wg-easy.db');
      assert.throws(read, { code: 'ERR_IMPORT', message: 'wg-easy.db: interfaces_table is empty' });
      addServer(database, 'no key at all');
      assert.throws(read, (error: Error) => !error.message.includes('no key at all'));
      database.exec('DELETE FROM interfaces_table');
      addServer(database, newKey());
      database.exec("INSERT INTO clients_table (name, public_key, enabled) VALUES ('a', 'b', 1)");
      assert.throws(read, { code: 'ERR_IMPORT', message: /clients_table\.ipv4_address: string is expected/ });
      database.exec('DROP TABLE clients_table');
      assert.throws(read, { code: 'ERR_IMPORT', message: /clients_table cannot be read/ });
    }));
});
