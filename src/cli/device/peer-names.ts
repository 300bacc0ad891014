import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { printable } from '../../control/config/secret-text.js';
import { WireGuardError } from '../../core/errors.js';

/** The folder that names are read from. */
export const CONFIG_FOLDER = '/etc/wireguard';

/** The names of peers by public key in base64, safe to print on a terminal. */
export type PeerNames = ReadonlyMap<string, string>;

/**
 * Reads the names of an interface's peers from the comments of its file. Returns no names if the file cannot be
 * read: names are best effort.
 */
export async function readPeerNames(interfaceName: string, folder = CONFIG_FOLDER): Promise<PeerNames> {
  const names = new Map<string, string>();
  const path = join(folder, `${interfaceName}.conf`);
  if (interfaceName.includes('/') || !existsSync(path)) return names;
  try {
    const { readConfigFile } = await import('../../control/config/config-file.js');
    for (const { name, publicKeyText } of (await readConfigFile(path)).peers) {
      if (name !== undefined) names.set(publicKeyText, printable(name));
    }
  } catch (error) {
    if (!(error instanceof WireGuardError)) throw error;
  }
  return names;
}
