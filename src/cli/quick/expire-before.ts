import { statSync } from 'node:fs';

import { printable } from '../../control/config/secret-text.js';
import type { CommandIo } from '../command.js';
import { findConfig } from './config-path.js';

/**
 * Disables the peers of a file whose time is over, before a command gives the file to an interface.
 *
 * @param target An interface, or a file. A pipe is left alone, since it can be read only once.
 * @throws {WireGuardError} The errors of `expirePeers`: a peer that cannot be disabled must not be let in.
 */
export async function expireBefore(target: string, io: CommandIo): Promise<void> {
  if (!statSync(findConfig(target).file).isFile()) return;
  const { expirePeers } = await import('../setup/expire-peers.js');
  const { createContext } = await import('../wg/create-context.js');
  for (const { name, publicKey, expires } of await expirePeers(createContext(io, false), target)) {
    io.writeError(`Disabled ${printable(name ?? publicKey)}: expired at ${expires}.\n`);
  }
}
