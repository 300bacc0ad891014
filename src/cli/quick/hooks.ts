import { encodeText } from '../../control/byte-text.js';
import type { HookName } from '../../control/config/index.js';
import { throwIfInterrupted } from '../../control/interrupted.js';
import { WireGuardError } from '../../core/errors.js';
import { ProgramFailure } from '../../host/net/command-error.js';
import { COMMAND_MISSING_STATUS } from '../../host/net/commands.js';
import type { Hook, QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

/**
 * Runs the commands of a hook, in order, with bash.
 *
 * Only here does text of a configuration file reach a shell, as intended. The commands
 * find the interface's name in `%i` and in the variable INTERFACE, the file in CONFIG_FILE.
 *
 * @throws {WireGuardError} ERR_HOOK with the line of the first command that fails; ERR_INTERRUPTED.
 */
export async function runHooks(host: QuickHost, config: QuickConfig, name: HookName): Promise<void> {
  for (const hook of hooksOf(config, name)) {
    throwIfInterrupted(host.interruption);
    const status = await runHook(host, config, hook);
    throwIfInterrupted(host.interruption);
    if (status !== 0) throw failure(config, hook, status);
  }
}

/**
 * Runs all commands of a hook for the way down, where a failing command does not keep the next one from running.
 *
 * @returns The failures, which have already been shown as warnings.
 */
export async function runAllHooks(host: QuickHost, config: QuickConfig, name: HookName): Promise<WireGuardError[]> {
  const errors: WireGuardError[] = [];
  for (const hook of hooksOf(config, name)) {
    const status = await runHook(host, config, hook);
    if (status === 0) continue;
    const error = failure(config, hook, status);
    errors.push(error);
    host.commands.warn(error.message);
  }
  return errors;
}

/** Returns whether there are commands for a hook. */
export function hasHooks(config: QuickConfig, name: HookName): boolean {
  return hooksOf(config, name).length > 0;
}

function hooksOf({ hooks }: QuickConfig, name: HookName): Hook[] {
  return hooks.filter((hook) => hook.name === name);
}

async function runHook(host: QuickHost, config: QuickConfig, hook: Hook): Promise<number> {
  const command = hook.command.replaceAll('%i', config.interfaceName);
  host.commands.echo([command]);
  return await host.runAttached(['bash', '-O', 'extglob', '-e', '-o', 'pipefail', '-c', asArgument(command)], {
    INTERFACE: config.interfaceName,
    CONFIG_FILE: config.file,
  });
}

/** Returns a command as an argument, which must be UTF-8: other bytes go through a quotation that bash undoes. */
function asArgument(command: string): string {
  const encoded = encodeText(command);
  if (typeof encoded === 'string') return command;
  const bytes = [...encoded].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `eval $'${bytes.join('')}'`;
}

function failure({ file }: QuickConfig, { name, line, command }: Hook, status: number): WireGuardError {
  const why = status === COMMAND_MISSING_STATUS ? 'found no such program' : `ended with status ${status}`;
  const cause = new ProgramFailure('bash', status);
  return new WireGuardError('ERR_HOOK', `${file}:${line}: ${name} ${why}: ${command}`, { cause });
}
