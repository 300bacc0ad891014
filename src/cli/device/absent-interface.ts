import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

import { WireGuardError } from '../../core/errors.js';
import { TunnelRecords } from '../../host/net/tunnel-record.js';
import { unlessInvalid } from '../unless-invalid.js';
import { CONFIG_FOLDER } from './peer-names.js';

/** Where the traces of interfaces are. */
export interface InterfaceTraces {
  readonly socketFolder: string;
  readonly configFolder: string;
  readonly records: TunnelRecords;
}

/**
 * Explains why no daemon answers for an interface: the daemon has ended, the interface is not up, access to it is
 * denied, or its name is unknown.
 */
export function absentInterface(
  name: string,
  cause: unknown,
  traces: InterfaceTraces = systemTraces(),
): WireGuardError {
  const { code, text } = findReason(name, traces);
  return new WireGuardError(code, `${name}: ${text}`, { cause });
}

/** Replaces the error for a device without a daemon if its traces show more. Returns other errors unchanged. */
export function explainAbsence(name: string, error: unknown): unknown {
  if (!(error instanceof WireGuardError) || error.code !== 'ERR_CONTROL_UNREACHABLE') return error;
  const explained = absentInterface(name, error);
  return explained.code === error.code ? error : explained;
}

function findReason(name: string, { socketFolder, configFolder, records }: InterfaceTraces) {
  if (/^[a-zA-Z0-9_=+.-]{1,15}$/.test(name)) {
    if (unlessInvalid(() => records.read(name)) !== undefined) {
      return {
        code: 'ERR_DAEMON_ENDED',
        text: 'the interface was brought up, but its daemon has ended since',
      } as const;
    }
    if (!isSearchable(socketFolder)) {
      return { code: 'ERR_NOT_ROOT', text: `only root may look into ${socketFolder}` } as const;
    }
    if (existsSync(join(configFolder, `${name}.conf`))) {
      return { code: 'ERR_NOT_WIREGUARD', text: 'the interface has a file, but is not up' } as const;
    }
  }
  return { code: 'ERR_CONTROL_UNREACHABLE', text: 'no daemon answers for this interface' } as const;
}

function isSearchable(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.code !== 'EACCES';
    throw error;
  }
}

function systemTraces(): InterfaceTraces {
  return { socketFolder: '/var/run/wireguard', configFolder: CONFIG_FOLDER, records: new TunnelRecords() };
}
