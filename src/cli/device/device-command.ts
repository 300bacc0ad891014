import type { Command } from '../command.js';
import { createContext } from '../wg/create-context.js';
import type { WgContext } from '../wg/wg-context.js';

/** A command that sends requests to daemons. */
export interface DeviceCommand extends Command {
  /** Runs the command in surroundings that tests choose. @returns The result of `run`. @throws {WireGuardError} */
  runIn(context: WgContext, args: readonly string[]): Promise<number | void>;
}

/** Makes a command of `wiretype` that runs in the surroundings of the process. */
export function deviceCommand(command: Pick<DeviceCommand, 'name' | 'manual' | 'runIn'>): DeviceCommand {
  return { ...command, run: (args, io) => command.runIn(createContext(io, false), args) };
}
