import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { refuseLiveSocket, uapiSocketPath } from '../../control/uapi-socket-file.js';
import type { LinuxTun } from '../../host/linux-tun.js';
import { type SpawnedDaemon, spawnDaemon } from './background.js';
import { openTun, requireAddon } from './native-parts.js';
import type { DaemonOptions } from './options.js';
import { SavedState } from './saved-state.js';

/** This file runs as `dist/src/cli/daemon/supervised-daemon.js`. */
const SUPERVISOR = fileURLToPath(new URL('../../../../bin/wiretype-supervisor', import.meta.url));

/**
 * Starts a daemon under a supervisor, which restarts the daemon when it dies.
 *
 * The supervisor holds the interface and the configuration as last applied, both by descriptor. So addresses, routes and
 * policy rules stay while the daemon is away, traffic does not leave the tunnel, and nothing of it stays when both end.
 *
 * @param command The words that run the daemon, up to its own arguments.
 * @throws {WireGuardError} ERR_DAEMON_RUNNING, ERR_TUN_…
 */
export async function spawnSupervised(
  options: DaemonOptions,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<SpawnedDaemon> {
  if (options.uapiDescriptor === undefined) await refuseLiveSocket(uapiSocketPath(options.interfaceName));
  let tun: LinuxTun | undefined;
  let stateDescriptor: number | undefined;
  try {
    if (options.tunDescriptor === undefined) tun = openTun(requireAddon(), options);
    stateDescriptor = SavedState.create();
    const tunDescriptor = options.tunDescriptor ?? tun?.descriptor;
    const supervised = ['/bin/sh', SUPERVISOR, ...command];
    return spawnDaemon({ ...options, command: supervised, tunDescriptor, stateDescriptor }, env);
  } finally {
    tun?.close(); // the supervisor has descriptors of its own
    if (stateDescriptor !== undefined) closeSync(stateDescriptor);
  }
}
