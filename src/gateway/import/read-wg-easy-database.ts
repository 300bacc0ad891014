import * as v from 'valibot';

import { parseIpPrefix } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import { WireGuardError } from '../../core/errors.js';
import type { ImportedGateway, ImportedPeer } from './imported-gateway.js';

/** The first bytes of every SQLite file (sqlite.org, Database File Format §1.3.1). */
const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');

/** The one call of a database that reading takes. */
export type QueryRows = (sql: string) => readonly Readonly<Record<string, unknown>>[];

const Interface = v.object({
  private_key: v.string(),
  port: v.number(),
  ipv4_cidr: v.string(),
  ipv6_cidr: v.string(),
  mtu: v.number(),
});

const Client = v.object({
  name: v.string(),
  ipv4_address: v.string(),
  ipv6_address: v.string(),
  public_key: v.string(),
  pre_shared_key: v.nullable(v.string()),
  expires_at: v.nullable(v.string()),
  created_at: v.nullable(v.string()),
  enabled: v.number(),
});

const INTERFACE_SQL = 'SELECT private_key, port, ipv4_cidr, ipv6_cidr, mtu FROM interfaces_table ORDER BY name LIMIT 2';
const CLIENTS_SQL =
  'SELECT name, ipv4_address, ipv6_address, public_key, pre_shared_key, expires_at, created_at, enabled ' +
  'FROM clients_table ORDER BY id';
const HOOKS_SQL = "SELECT name FROM clients_table WHERE pre_up || post_up || pre_down || post_down <> '' ORDER BY id";

export function isSqliteFile(bytes: Uint8Array): boolean {
  return SQLITE_MAGIC.equals(bytes.subarray(0, SQLITE_MAGIC.length));
}

/**
 * Reads `wg-easy.db` of wg-easy from version 15 on. Private keys of clients are in it, and are not read.
 *
 * @throws {WireGuardError} ERR_IMPORT names the table and column that is wrong, and never a key.
 */
export function readWgEasyDatabase(query: QueryRows, fileName: string): ImportedGateway {
  const interfaces = rowsOf(query, INTERFACE_SQL, Interface, `${fileName}: interfaces_table`);
  const [server] = interfaces;
  if (server === undefined) throw new WireGuardError('ERR_IMPORT', `${fileName}: interfaces_table is empty`);
  const clients = rowsOf(query, CLIENTS_SQL, Client, `${fileName}: clients_table`);
  const leftOut = namesWithHooks(query).map((name) => `${fileName}: the hooks of ${name} are not taken over`);
  if (interfaces.length > 1) leftOut.push(`${fileName}: only the first interface is taken over`);
  return {
    privateKey: parseKey(server.private_key, `${fileName}: interfaces_table.private_key`),
    networks: [server.ipv4_cidr, server.ipv6_cidr].filter((text) => parseIpPrefix(text) !== undefined),
    listenPort: server.port,
    mtu: server.mtu,
    peers: clients.map(peerOf),
    leftOut,
  };
}

function peerOf(client: v.InferOutput<typeof Client>): ImportedPeer {
  const [createdAtUnixMs, expiresAtUnixMs] = [client.created_at, client.expires_at].map(readTime);
  return {
    name: client.name,
    publicKey: client.public_key,
    addresses: [client.ipv4_address, client.ipv6_address].filter((address) => address !== ''),
    isBlocked: client.enabled === 0,
    ...(client.pre_shared_key === null || client.pre_shared_key === '' ? {} : { presharedKey: client.pre_shared_key }),
    ...(createdAtUnixMs === undefined ? {} : { createdAtUnixMs }),
    ...(expiresAtUnixMs === undefined ? {} : { expiresAtUnixMs }),
  };
}

function rowsOf<T extends v.GenericSchema>(query: QueryRows, sql: string, row: T, table: string): v.InferOutput<T>[] {
  const rows = attempt(query, sql, table);
  return rows.map((each) => {
    const result = v.safeParse(row, each);
    if (result.success) return result.output;
    const [issue] = result.issues;
    throw new WireGuardError('ERR_IMPORT', `${table}.${v.getDotPath(issue)}: ${issue.expected} is expected`);
  });
}

function attempt(query: QueryRows, sql: string, table: string): ReturnType<QueryRows> {
  try {
    return query(sql);
  } catch (cause) {
    throw new WireGuardError('ERR_IMPORT', `${table} cannot be read: this is no database of wg-easy 15`, { cause });
  }
}

/** Columns of hooks came with a later version. */
function namesWithHooks(query: QueryRows): string[] {
  try {
    return query(HOOKS_SQL).map(({ name }) => String(name));
  } catch {
    return [];
  }
}

/** Times of SQLite have no zone and are UTC; those of JavaScript carry one. */
function readTime(text: string | null): number | undefined {
  const iso = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text ?? '') ? `${text!.replace(' ', 'T')}Z` : (text ?? '');
  const time = Date.parse(iso);
  return Number.isNaN(time) ? undefined : time;
}
