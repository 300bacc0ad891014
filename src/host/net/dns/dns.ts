import { WireGuardError } from '../../../core/errors.js';
import type { Commands } from '../commands.js';
import type { DnsBackend, DnsBackendName, DnsSettings } from './dns-settings.js';
import { ResolvConfFile } from './resolv-conf-file.js';
import { Resolvconf } from './resolvconf.js';
import { Resolvectl } from './resolvectl.js';

/** The ways to set name servers, in the order in which they are tried. */
export function systemDnsBackends(commands: Commands): DnsBackend[] {
  return [new Resolvectl(commands), new Resolvconf(commands), new ResolvConfFile(commands)];
}

/**
 * Sets the name servers of a tunnel by the first backend that takes them.
 *
 * A host without any gets a warning: a tunnel without its name servers is better than none.
 *
 * @param onAttempt Gets the backend before anything is done, so that what was begun is known.
 * @returns The backend that took them.
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

/** Takes the name servers of a tunnel back. What goes wrong is a warning: the tunnel goes down all the same. */
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
