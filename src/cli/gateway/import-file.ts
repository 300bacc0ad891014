import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import type { GatewaySettings } from '../../gateway/gateway-model.js';
import { type GatewayToBe, gatewayOf, importGateway } from '../../gateway/import/import-gateway.js';
import { isSqliteFile, readWgEasyDatabase } from '../../gateway/import/read-wg-easy-database.js';
import { loadSqlite } from '../../store/sqlite.js';
import { SqliteStore } from '../../store/sqlite-store.js';
import type { CommandIo } from '../command.js';
import { systemHostNetwork } from '../setup/system-host-network.js';
import { firstSettings } from './first-settings.js';
import { writeKey } from './gateway-folder.js';

export interface ImportRequest {
  readonly file: string;
  readonly folder: string;
  readonly endpoint?: string;
  readonly port?: number;
}

/**
 * Makes a gateway of another server's file. It takes over the server's key, so that its devices go on working.
 *
 * @throws {WireGuardError} ERR_FILE_EXISTS: there is a gateway in the folder. ERR_IMPORT and others: nothing was made.
 */
export async function importFile({ file, folder, endpoint, port }: ImportRequest, io: CommandIo): Promise<void> {
  if (existsSync(join(folder, 'state.db')))
    throw new WireGuardError('ERR_FILE_EXISTS', `there is a gateway in ${folder}`);
  const defaults = firstSettings(systemHostNetwork, {
    environment: process.env,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(port === undefined ? {} : { listenPort: port }),
  });
  const made = await read(file, defaults);
  try {
    writeKey(folder, made.privateKey);
  } finally {
    made.privateKey.fill(0);
  }
  const { settings, devices, leftOut } = made;
  const store = await SqliteStore.open(folder);
  try {
    const details = { file: basename(file), devices: devices.length };
    const audit = { atUnixMs: Date.now(), actor: 'local', operation: 'gateway.import', details };
    await store.commit({ settings, putDevices: devices, audit });
  } finally {
    await store.close();
  }
  for (const line of leftOut) io.writeError(`${line}\n`);
  io.writeError(`Made a gateway in ${folder} with ${devices.length} devices. Its endpoint is ${settings.endpoint}.\n`);
}

async function read(file: string, defaults: GatewaySettings): Promise<GatewayToBe> {
  const bytes = readBytes(file);
  const name = basename(file);
  if (!isSqliteFile(bytes)) return importGateway(bytes.toString('utf8'), name, defaults, Date.now());
  const connection = (await loadSqlite())(file);
  try {
    const imported = readWgEasyDatabase((sql) => connection.prepare(sql).all(), name);
    return gatewayOf(imported, name, defaults, Date.now());
  } finally {
    connection.close();
  }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new WireGuardError('ERR_IMPORT', `${file} cannot be read: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}
