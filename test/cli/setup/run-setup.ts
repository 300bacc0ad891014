import type { HostNetwork } from '../../../src/cli/setup/host-network.js';
import type { SetupCommand } from '../../../src/cli/setup/setup-command.js';
import { type CommandOutcome, runCommand, type Surroundings } from '../device/run-command.js';
import { fakeHost } from './fake-host.js';

/** Runs a setup command on a fake machine, with the sockets of a directory. */
export async function runSetup(
  command: SetupCommand,
  directory: string,
  args: readonly string[],
  options: Surroundings & { readonly host?: HostNetwork } = {},
): Promise<CommandOutcome> {
  const { host = fakeHost(), ...surroundings } = options;
  const onHost = {
    ...command,
    runIn: (context: Parameters<typeof command.runIn>[0]) => command.runOn(host, context, args),
  };
  return await runCommand(onHost, directory, args, surroundings);
}
