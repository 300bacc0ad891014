import { type DeviceCommand, deviceCommand } from '../device/device-command.js';
import type { WgContext } from '../wg/wg-context.js';
import type { HostNetwork } from './host-network.js';

/** A command that works on a file, and reads the network of this host. */
export interface SetupCommand extends DeviceCommand {
  /** Runs the command in surroundings that tests choose. @returns The result of `run`. @throws {WireGuardError} */
  runOn(host: HostNetwork, context: WgContext, args: readonly string[]): Promise<number | void>;
}

/** Makes a command that runs on this machine. */
export function setupCommand(command: Pick<SetupCommand, 'name' | 'manual' | 'runOn'>): SetupCommand {
  const { name, manual } = command;
  const runIn = async (context: WgContext, args: readonly string[]) => {
    const { systemHostNetwork } = await import('./system-host-network.js');
    return await command.runOn(systemHostNetwork, context, args);
  };
  return { ...deviceCommand({ name, manual, runIn }), runOn: command.runOn };
}
