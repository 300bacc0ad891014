import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

import { WireGuardError } from '../../core/errors.js';

const CONFIG_FOLDER = '/etc/wireguard';
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
 * Finds the file for what the user named: an interface, whose file is in /etc/wireguard, or a file.
 *
 * The name of the interface is that of the file, before links are followed.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE, ERR_INTERFACE_NAME
 *
 * Source: wg-quick(8) "DESCRIPTION".
 */
export function findConfig(argument: string, folder = CONFIG_FOLDER): ConfigPath {
  const isName = INTERFACE_NAME.test(argument);
  const named = isName ? path.join(folder, `${argument}.conf`) : argument;
  if (!existsSync(named))
    throw new WireGuardError('ERR_CONFIG_FILE', missingText(named, isName ? argument : undefined));

  const interfaceName = CONFIG_NAME.exec(named)?.[1];
  if (interfaceName === undefined) {
    throw new WireGuardError('ERR_INTERFACE_NAME', 'The config file must be a valid interface name, followed by .conf');
  }
  // "." and ".." are folders, and a name with "-" in front is an option to other programs.
  if (/^(-|\.{1,2}$)/.test(interfaceName)) {
    throw new WireGuardError('ERR_INTERFACE_NAME', `\`${interfaceName}' cannot be the name of an interface`);
  }
  return { interfaceName, file: realpathSync(named) };
}

/** @returns Whether everyone may reach and open the file, which holds a private key. */
export function isWorldAccessible(file: string): boolean {
  return (statSync(file).mode & statSync(path.dirname(file)).mode & EVERYONE) !== 0;
}

function missingText(named: string, interfaceName: string | undefined): string {
  const isDangling = lstatSync(named, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (isDangling) return `\`${named}' is a link to a file that does not exist`;

  const isHere = interfaceName?.endsWith('.conf') === true && existsSync(interfaceName);
  return `\`${named}' does not exist${isHere ? ` (the file in this folder is ./${interfaceName})` : ''}`;
}
