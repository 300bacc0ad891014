import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { WireGuardError } from '../../core/errors.js';
import type { IpFamily } from '../../wire/endpoint.js';
import type { DnsBackendName } from './dns/dns-settings.js';
import { namespaceName } from './namespace-name.js';
import { readRecord } from './record-reader.js';
import { isSystemError } from './system-error.js';

const STATE_FOLDER = '/run/wiretype';

/** How far the commands of a hook have come. */
export type HookState = 'begun' | 'done';

/**
 * What was done to the host for a tunnel, as far as the interface does not take it along when it goes.
 *
 * Written before it is done, so that a tunnel whose daemon or whose setup died can still be cleaned up after.
 */
export interface TunnelRecord {
  /** Routing table of the diverted traffic, and mark of the tunnel's datagrams. */
  table?: number;
  /** The mark was ours to choose. */
  hasChosenMark?: boolean;
  /** The families whose traffic is diverted. */
  diverted?: IpFamily[];
  /** The families in which its datagrams have a rule to leave beside another tunnel. */
  bypassing?: IpFamily[];
  /** How far the commands of the way up have come; absent for an interface that another program has set up. */
  hooks?: { readonly PreUp?: HookState; readonly PostUp?: HookState };
  dns?: DnsBackendName;
  /** What is set, in one line, to tell whether it has changed. */
  dnsText?: string;
  /** The addresses of the file. */
  addresses?: string[];
  /** The MTU that was found out, in bytes, and what it was found out for. */
  foundMtu?: { readonly bytes: number; readonly inputs: string };
  /** Routes that were added, and the table they are in; absent: the main table. */
  routes?: string[];
  routeTable?: string;
  /** The endpoints of the file, by public key: tells an endpoint that was edited from one that roamed. */
  endpoints?: Readonly<Record<string, string>>;
  /** The addresses that were found for names of the file, by public key: tells them from endpoints that were set by hand. */
  lookedUp?: Readonly<Record<string, string>>;
}

/**
 * The records of a network namespace, one file per interface. They do not outlive the running system.
 *
 * Interfaces of the same name in two network namespaces are two interfaces.
 */
export class TunnelRecords {
  readonly folder: string;

  constructor(folder: string = path.join(STATE_FOLDER, namespaceName())) {
    this.folder = folder;
  }

  /** @returns `undefined` if there is none that can be read. */
  read(interfaceName: string): TunnelRecord | undefined {
    try {
      return readRecord(readFileSync(this.#file(interfaceName), 'utf8'));
    } catch (error) {
      if (isSystemError(error)) return undefined;
      throw error;
    }
  }

  /** @throws {WireGuardError} ERR_RECORD if the system refuses. The record that was there stays. */
  write(interfaceName: string, record: TunnelRecord): void {
    const file = this.#file(interfaceName);
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.tmp`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new WireGuardError('ERR_RECORD', `${file}: ${error.message}`, { cause: error });
    }
  }

  remove(interfaceName: string): void {
    rmSync(this.#file(interfaceName), { force: true });
  }

  /** A lock file for work on this interface, or for short work on what all interfaces share. */
  lockFile(interfaceName?: string): string {
    return path.join(this.folder, interfaceName === undefined ? 'network.lock' : `${interfaceName}.if.lock`);
  }

  #file(interfaceName: string): string {
    return path.join(this.folder, `${interfaceName}.json`);
  }
}
