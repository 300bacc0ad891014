import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { throwIfInterrupted } from '../../control/interrupted.js';

import { WireGuardError } from '../../core/errors.js';
import { ProgramFailure } from '../../host/net/command-error.js';
import { COMMAND_MISSING_STATUS, requireSuccess } from '../../host/net/commands.js';
import { Link } from '../../host/net/link.js';
import type { ConfigPath } from './config-path.js';
import type { QuickHost } from './quick-host.js';

/** The daemon of this package; this file runs as `dist/src/cli/quick/backend.js`. */
const OWN_DAEMON = fileURLToPath(new URL('../../../../bin/wiretyped', import.meta.url));

/** Names the file that our daemon reads host names from, to look them up again. */
export const CONFIG_FILE_VARIABLE = 'WIRETYPE_CONFIG_FILE';
/** Requests that our daemon be restarted when it dies. */
const SUPERVISE_VARIABLE = 'WIRETYPE_SUPERVISE';

/** The words for the kernel's own WireGuard, and for the kernel with a program as its fallback. */
const KERNEL = 'kernel';
const AUTO = 'auto';

/** The implementation that makes an interface. */
export interface Backend {
  readonly triesKernel: boolean;
  /** The program to use if the kernel has no WireGuard, or is not tried; `undefined`: none. */
  readonly program: string | undefined;
}

/**
 * Chooses the implementation: `kernel`, `auto`, `auto:PROGRAM` or a program, by option, by the variable
 * WIRETYPE_IMPLEMENTATION, or by the name that we were called by.
 *
 * @param isStock Whether the program was called as `wg-quick`, which prefers the kernel.
 */
export function chooseBackend(option: string | undefined, environment: NodeJS.ProcessEnv, isStock: boolean): Backend {
  const program = environment['WG_QUICK_USERSPACE_IMPLEMENTATION'] || OWN_DAEMON;
  const choice = option || environment['WIRETYPE_IMPLEMENTATION'] || (isStock ? AUTO : program);
  if (choice === KERNEL) return { triesKernel: true, program: undefined };
  if (choice === AUTO) return { triesKernel: true, program };
  if (choice.startsWith(`${AUTO}:`)) return { triesKernel: true, program: choice.slice(AUTO.length + 1) || OWN_DAEMON };
  return { triesKernel: false, program: choice };
}

/** Returns the choice in the environment that sudo receives: a word of ours, never a program. */
export function implementationOf(environment: NodeJS.ProcessEnv): string | undefined {
  const choice = environment['WIRETYPE_IMPLEMENTATION'];
  return choice === KERNEL || choice === AUTO ? choice : undefined;
}

/**
 * Makes an interface, by the kernel or by a userspace WireGuard.
 *
 * @throws {WireGuardError} ERR_BACKEND, ERR_COMMAND_FAILED, ERR_INTERRUPTED. No interface of ours exists then.
 */
export async function makeInterface(
  host: QuickHost,
  { triesKernel, program }: Backend,
  where: ConfigPath,
): Promise<void> {
  if (triesKernel && (await addKernelLink(host, where.interfaceName, program === undefined))) return;
  if (program === undefined) throw new WireGuardError('ERR_BACKEND', 'the kernel has no WireGuard');
  await startBackend(host, program, where);
}

/**
 * @param isRequired Throws if the kernel refuses, since nothing else is tried.
 * @returns Whether the interface was made; `false` if the kernel has no WireGuard.
 */
async function addKernelLink(host: QuickHost, interfaceName: string, isRequired: boolean): Promise<boolean> {
  throwIfInterrupted(host.interruption);
  const words = ['ip', 'link', 'add', 'dev', interfaceName, 'type', 'wireguard'];
  const result = await host.commands.ask(words);
  if (result.status !== 0 && !isRequired && !existsSync('/sys/module/wireguard')) return false;
  if (result.status !== 0 && !existsSync('/sys/module/wireguard')) {
    throw new WireGuardError('ERR_BACKEND', `the kernel has no WireGuard: ${result.stderr.trim()}`);
  }
  host.commands.echo(words);
  requireSuccess(words, result);
  return true;
}

/**
 * Starts a userspace WireGuard, which goes to the background once its interface is there.
 *
 * @param program A path, or a name in PATH.
 * @throws {WireGuardError} ERR_BACKEND, ERR_INTERRUPTED. No interface of ours exists then.
 */
async function startBackend(host: QuickHost, program: string, { interfaceName, file }: ConfigPath): Promise<void> {
  throwIfInterrupted(host.interruption);
  const shown = program === OWN_DAEMON ? path.basename(program) : program;
  host.commands.echo([shown, interfaceName]);
  // Our own daemon runs on this Node, which need not be in the PATH of sudo or of systemd.
  const command = program === OWN_DAEMON ? [process.execPath, program] : [program];
  const status = await host.runAttached([...command, interfaceName], {
    [CONFIG_FILE_VARIABLE]: file,
    [SUPERVISE_VARIABLE]: process.env[SUPERVISE_VARIABLE] ?? '1',
  });

  const link = new Link(host.commands, interfaceName);
  if (host.interruption.aborted && (await link.exists())) await link.remove();
  throwIfInterrupted(host.interruption);
  const cause = new ProgramFailure(program, status);
  if (status === COMMAND_MISSING_STATUS && !existsSync(program)) {
    throw new WireGuardError('ERR_BACKEND', `${shown}: command not found`, { cause });
  }
  if (status !== 0) {
    const code = program === OWN_DAEMON ? 'ERR_DAEMON_REFUSED' : 'ERR_BACKEND';
    throw new WireGuardError(code, `${shown} ${interfaceName} ended with status ${status}`, { cause });
  }
  if (!(await link.exists())) {
    throw new WireGuardError('ERR_BACKEND', `${shown} ended without making the interface ${interfaceName}`);
  }
}
