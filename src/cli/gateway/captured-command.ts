import { WireGuardError } from '../../core/errors.js';
import { ApiError } from '../../server/server-errors.js';
import type { Command, CommandIo } from '../command.js';
import { DEVICE_COMMANDS } from '../device/device-commands.js';
import { SETUP_COMMANDS } from '../setup/setup-commands.js';
import { SystemFailure, WgFailure } from '../wg/wg-context.js';

/**
 * Runs a command of ours in this process, and returns what it writes to standard output.
 *
 * @throws {ApiError} ERR_INTERFACE with the sentence of the command.
 */
export async function runCaptured(name: string, args: readonly string[]): Promise<string> {
  let output = '';
  const io: CommandIo = {
    readInput: () => Promise.resolve(''),
    write: (text) => {
      output += text;
    },
    deliver: (text) => {
      output += text;
      return Promise.resolve(true);
    },
    writeError: () => {},
    columns: undefined,
    interruption: () => new AbortController().signal,
  };
  const command = name === 'explain' ? (await import('../explain/explain-command.js')).explain : await load(name);
  try {
    await command.run(args, io);
    return output;
  } catch (cause) {
    if (!(cause instanceof WireGuardError || cause instanceof WgFailure || cause instanceof SystemFailure)) throw cause;
    throw new ApiError('ERR_INTERFACE', cause.message.trim());
  }
}

function load(name: string): Promise<Command> {
  return [...SETUP_COMMANDS, ...DEVICE_COMMANDS].find((entry) => entry.name === name)!.load();
}
