import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { systemWords } from '../../control/config/config-file.js';
import { WireGuardError } from '../../core/errors.js';

export const CONFIG_FOLDER = '/etc/wireguard';
const INTERFACE_NAME = /^[a-zA-Z0-9_=+.-]{1,15}$/;
const CONFIG_NAME = /(?:^|\/)([a-zA-Z0-9_=+.-]{1,15})\.conf$/;
const EVERYONE = 0o007;

/** A configuration file and the interface that it is for. */
export interface ConfigPath {
  readonly interfaceName: string;
  /** Symbolic links are followed. */
  readonly file: string;
}

/**
 * Finds the file that the user named: a file, or an interface, whose file is in /etc/wireguard.
 *
 * The name of the file, before links are followed, is the name of the interface.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_INTERFACE_NAME
 *
 * Source: wg-quick(8) "DESCRIPTION".
 */
export function findConfig(argument: string, folder = CONFIG_FOLDER): ConfigPath {
  const named = pathOf(argument, folder);
  const file = follow(named, named === argument ? undefined : argument);
  const interfaceName = CONFIG_NAME.exec(named)?.[1];
  if (interfaceName === undefined) {
    throw new WireGuardError('ERR_INTERFACE_NAME', 'The config file must be a valid interface name, followed by .conf');
  }
  // "." and ".." are folders, and a name with "-" in front is an option to other programs.
  if (/^(-|\.{1,2}$)/.test(interfaceName)) {
    throw new WireGuardError('ERR_INTERFACE_NAME', `\`${interfaceName}' cannot be the name of an interface`);
  }
  return { interfaceName, file };
}

/** Returns the interface that the user named, directly or by its file; `undefined` if its name is invalid. */
export function interfaceOf(argument: string): string | undefined {
  return CONFIG_NAME.exec(pathOf(argument, CONFIG_FOLDER))?.[1];
}

/** @returns Whether everyone may reach and open the file, which holds a private key. */
export function isWorldAccessible(file: string): boolean {
  return (modeOf(file) & modeOf(path.dirname(file)) & EVERYONE) !== 0;
}

/** Returns the mode of a file; 0 if the file has gone meanwhile. */
function modeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
}

function pathOf(argument: string, folder: string): string {
  return INTERFACE_NAME.test(argument) ? path.join(folder, `${argument}.conf`) : argument;
}

/** @returns The file behind symbolic links. */
function follow(named: string, interfaceName: string | undefined): string {
  if (named === '') throw new WireGuardError('ERR_CONFIG_FILE', missingText(named, interfaceName));
  try {
    return realpathSync(named);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    const isMissing = cause.code === 'ENOENT' || cause.code === 'ENOTDIR';
    const text = isMissing ? missingText(named, interfaceName) : `\`${named}' cannot be read: ${systemWords(cause)}`;
    throw new WireGuardError('ERR_CONFIG_FILE', text, { cause });
  }
}

function missingText(named: string, interfaceName: string | undefined): string {
  const isDangling = lstatSync(named, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isDangling) return `\`${named}' is a link to a file that does not exist`;

  const isHere = interfaceName?.endsWith('.conf') === true && existsSync(interfaceName);
  return `\`${named}' does not exist${isHere ? ` (the file in this folder is ./${interfaceName})` : ''}`;
}
