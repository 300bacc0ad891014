import { WireGuardError } from '../../../core/errors.js';
import type { Commands } from '../commands.js';
import type { DnsBackend, DnsBackendName, DnsSettings } from './dns-settings.js';
import { ResolvConfFile } from './resolv-conf-file.js';
import { Resolvconf } from './resolvconf.js';
import { Resolvectl } from './resolvectl.js';

/** Returns the ways to set name servers, in the order in which they are tried. */
export function systemDnsBackends(commands: Commands): DnsBackend[] {
  return [new Resolvectl(commands), new Resolvconf(commands), new ResolvConfFile(commands)];
}

/**
 * Sets the name servers of a tunnel by the first backend that accepts them.
 *
 * A host without any backend gets a warning: a tunnel without its name servers is better than no tunnel.
 *
 * @param onAttempt Receives the backend before each attempt, so that an attempt that was begun is known.
 * @returns The backend that accepted them.
 */
export async function setDns(
  commands: Commands,
  backends: readonly DnsBackend[],
  interfaceName: string,
  settings: DnsSettings,
  onAttempt: (backend: DnsBackendName) => void,
): Promise<DnsBackendName | undefined> {
  for (const backend of backends.filter((candidate) => candidate.isInUse())) {
    onAttempt(backend.name);
    try {
      await backend.set(interfaceName, settings);
      return backend.name;
    } catch (error) {
      warnOf(commands, error);
    }
  }
  commands.warn(`The name servers (${settings.servers.join(', ')}) were not set: names are resolved as before`);
  return undefined;
}

/** Removes the name servers of a tunnel. Failures are warnings, since the tunnel goes down anyway. */
export async function unsetDns(
  commands: Commands,
  backends: readonly DnsBackend[],
  interfaceName: string,
  name: DnsBackendName,
): Promise<void> {
  try {
    await backends.find((backend) => backend.name === name)?.unset(interfaceName);
  } catch (error) {
    warnOf(commands, error);
  }
}

function warnOf(commands: Commands, error: unknown): void {
  if (!(error instanceof WireGuardError)) throw error;
  commands.warn(error.message);
}
