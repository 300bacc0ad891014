import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { WireGuardError } from '../../core/errors.js';
import { namespaceName } from './namespace-name.js';
import { readRecord } from './record-reader.js';
import type { TunnelRecord } from './recorded-tunnel.js';
import { isSystemError } from './system-error.js';

const STATE_FOLDER = '/run/wiretype';

/**
 * The records of a network namespace, one file per interface. They are lost when the system restarts.
 *
 * Interfaces of the same name in two network namespaces are two interfaces.
 */
export class TunnelRecords {
  readonly folder: string;

  constructor(folder: string = path.join(STATE_FOLDER, namespaceName())) {
    this.folder = folder;
  }

  /** @returns `undefined` if there is no readable record. */
  read(interfaceName: string): TunnelRecord | undefined {
    try {
      return readRecord(readFileSync(this.#file(interfaceName), 'utf8'));
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  /**
   * Writes a record, unless the file is the same already: a read-only /run then disturbs nobody.
   *
   * @throws {WireGuardError} ERR_RECORD if the system refuses. The old record is kept.
   */
  write(interfaceName: string, record: TunnelRecord): void {
    const file = this.#file(interfaceName);
    const text = JSON.stringify(record);
    if (holds(file, text)) return;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new WireGuardError('ERR_RECORD', `${file}: ${error.message}`, { cause: error });
    }
  }

  remove(interfaceName: string): void {
    rmSync(this.#file(interfaceName), { force: true });
  }

  /** Returns the lock file for work on this interface, or for short work on shared state. */
  lockFile(interfaceName?: string): string {
    return path.join(this.folder, interfaceName === undefined ? 'network.lock' : `${interfaceName}.if.lock`);
  }

  #file(interfaceName: string): string {
    return path.join(this.folder, `${interfaceName}.json`);
  }
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}
