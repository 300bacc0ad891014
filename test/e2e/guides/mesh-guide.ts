/**
 * Machines for the guides of the mesh: a hub that everybody reaches, and hosts behind NATs of their own, as drawn in
 * test/e2e/mesh/mesh-lab.ts. Nothing runs yet: the guides start it.
 */
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';

import { furnish, Guide } from '../../lab/guide.js';
import { addAddresses, Lab } from '../../lab/lab.js';
import { Machine } from '../../lab/machine.js';
import { HUB, type NatType, openSite, type Site } from '../mesh/mesh-lab.js';

/** State of the system is the machine's own. */
const LAYER = `set -e
mkdir "$1/var" "$1/var/new" "$1/var/work"
mount -t overlay overlay -o "lowerdir=/var,upperdir=$1/var/new,workdir=$1/var/work" /var`;

export interface MeshGuide<Title extends string> {
  readonly lab: Lab;
  readonly hub: Machine;
  readonly sites: Readonly<Record<Title, Site>>;
  readonly guide: Guide;
}

/** @param nats The NAT in front of each host, by the name that the guide gives it. */
export async function openMeshGuide<Title extends string>(
  t: Pick<TestContext, 'after'>,
  name: string,
  nats: Readonly<Record<Title, NatType>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<MeshGuide<Title>> {
  const lab = Lab.open(t);
  const hub = await Machine.create(lab, 'hub');
  await hub.host.ip('link add br0 type bridge');
  await hub.host.ip('link set br0 up');
  await addAddresses([hub.host, 'br0', `${HUB}/24`]);
  const opened = await Promise.all(
    Object.entries<NatType>(nats).map(async ([title, nat], i) => {
      const site = await openSite(lab, hub.host, title, i + 1);
      await site.translate(nat);
      return [title, site] as const;
    }),
  );
  const machines = { hub, ...Object.fromEntries(opened.map(([title, { machine }]) => [title, machine])) };
  await Promise.all(Object.values(machines).map((machine) => machine.run('bash', layer(machine))));
  await furnish(machines, [{ name: 'hub.example.net', machine: hub, address: HUB }]);
  const sites = Object.fromEntries(opened) as Record<Title, Site>;
  return { lab, hub, sites, guide: new Guide(name, machines, environment) };
}

/** Returns the address of a host in the network. */
export async function addressIn(machine: Machine, interfaceName: string): Promise<string> {
  return /inet ([\d.]+)/.exec(await machine.host.ip(`-4 -o addr show dev ${interfaceName}`))![1]!;
}

function layer(machine: Machine): string[] {
  return ['-c', LAYER, 'bash', dirname(machine.programs)];
}
