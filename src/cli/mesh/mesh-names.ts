import { readFileSync, writeFileSync } from 'node:fs';

import type { Commands } from '../../host/net/commands.js';
import { Resolvectl } from '../../host/net/dns/resolvectl.js';
import type { MeshAgent } from '../../mesh/agent/mesh-agent.js';
import { labelOf } from '../../mesh/hub/node-directory.js';
import { withNames, withoutNames } from './hosts-text.js';
import type { MeshInterface } from './mesh-interface.js';

const HOSTS = '/etc/hosts';

/** Names of the network on this host, until it is closed. */
export interface MeshNames {
  /** The map has changed. */
  update(): void;
  close(): Promise<void>;
}

/**
 * Makes `NODE.NETWORK.internal` known to this host, and leaves all other names as they are: systemd-resolved asks the hub for
 * that domain alone; elsewhere a marked block in the hosts file has the names.
 *
 * @returns `undefined`: neither is possible.
 */
export async function openNames(
  agent: MeshAgent,
  device: MeshInterface,
  commands: Commands,
): Promise<MeshNames | undefined> {
  const { network, hub } = agent.state;
  const domain = `${network}.internal`;
  const { name } = device.tun;
  if (new Resolvectl(commands).isInUse()) {
    await commands.run(['resolvectl', 'dns', name, ...hub.addresses]);
    await commands.run(['resolvectl', 'domain', name, `~${domain}`]);
    await commands.ask(['resolvectl', 'default-route', name, 'false']);
    return { update: () => {}, close: async () => void (await commands.ask(['resolvectl', 'revert', name])) };
  }
  return openHostsFile(agent, domain);
}

function openHostsFile(agent: MeshAgent, domain: string): MeshNames | undefined {
  let written = '';
  const write = (): void => {
    const names = new Map(
      [...agent.map.entries.values()].map(({ record }) => [labelOf(record.name), record.addresses]),
    );
    names.set(labelOf(agent.state.name), agent.state.addresses);
    names.set('hub', agent.state.hub.addresses);
    const wanted = JSON.stringify([...names]);
    if (wanted === written) return;
    writeFileSync(HOSTS, withNames(readFileSync(HOSTS, 'utf8'), domain, names));
    written = wanted;
  };
  try {
    write();
  } catch {
    return undefined; // the file cannot be written: names are not known here
  }
  const update = (): void => {
    try {
      write();
    } catch {
      // The file is read-only by now; the next time may be better.
    }
  };
  const close = async (): Promise<void> => writeFileSync(HOSTS, withoutNames(readFileSync(HOSTS, 'utf8'), domain));
  return { update, close };
}
