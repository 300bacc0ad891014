import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { throwIfInterrupted } from '../../control/interrupted.js';

import { WireGuardError } from '../../core/errors.js';
import { COMMAND_MISSING_STATUS } from '../../host/net/commands.js';
import { Link } from '../../host/net/link.js';
import type { ConfigPath } from './config-path.js';
import type { QuickHost } from './quick-host.js';

/** The daemon of this package; this file runs as `dist/src/cli/quick/backend.js`. */
const OWN_DAEMON = fileURLToPath(new URL('../../../../bin/wiretyped', import.meta.url));

/** Tells our daemon which file to read host names from, so that it can look them up again. */
export const CONFIG_FILE_VARIABLE = 'WIRETYPE_CONFIG_FILE';

/** @returns The program that shall make the interface: the one asked for, by option or by environment, or ours. */
export function chooseBackend(option: string | undefined, environment: NodeJS.ProcessEnv): string {
  return option || environment['WG_QUICK_USERSPACE_IMPLEMENTATION'] || OWN_DAEMON;
}

/**
 * Starts a userspace WireGuard, which goes to the background once its interface is there.
 *
 * @param program A path, or a name in PATH.
 * @throws {WireGuardError} ERR_BACKEND, ERR_INTERRUPTED. There is no interface of ours then.
 */
export async function startBackend(
  host: QuickHost,
  program: string,
  { interfaceName, file }: ConfigPath,
): Promise<void> {
  throwIfInterrupted(host.interruption);
  const shown = program === OWN_DAEMON ? path.basename(program) : program;
  host.commands.echo([shown, interfaceName]);
  const status = await host.runAttached([program, interfaceName], { [CONFIG_FILE_VARIABLE]: file });

  const link = new Link(host.commands, interfaceName);
  if (host.interruption.aborted && (await link.exists())) await link.remove();
  throwIfInterrupted(host.interruption);
  if (status === COMMAND_MISSING_STATUS) throw new WireGuardError('ERR_BACKEND', `${shown}: command not found`);
  if (status !== 0) throw new WireGuardError('ERR_BACKEND', `${shown} ${interfaceName} ended with status ${status}`);
  if (!(await link.exists())) {
    throw new WireGuardError('ERR_BACKEND', `${shown} ended without making the interface ${interfaceName}`);
  }
}
