/**
 * The laboratory of one test: hosts, the cables between them, and a folder, all gone when the test ends.
 *
 * Names carry the process id of the test, so that files run side by side. What a killed test left behind is removed
 * by the next one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { Host } from './namespace.js';
import { waitFor } from './wait.js';

/** Things with the process id of a test in their names. Namespaces come first: the processes inside end with them. */
const LEFTOVERS = [
  { folder: '/run/netns', name: /^wt-(\d+)-/, radix: 10, remove: removeNamespaceNow },
  { folder: '/run/wireguard', name: /^e2e-([\da-z]+)-[\da-z]+\.sock$/, radix: 36, remove: removeFile },
  { folder: tmpdir(), name: /^wiretype-e2e-(\d+)-/, radix: 10, remove: removeFile },
] as const;

let hostNumber = 0;
let interfaceNumber = 0;

/** One end of a cable: a host and the name of its interface. */
export type CableEnd = readonly [host: Host, interfaceName: string];

export class Lab {
  /** A folder that only we can read, for keys, captures and configurations. */
  readonly folder: string = mkdtempSync(join(tmpdir(), `wiretype-e2e-${process.pid}-`));
  readonly #hosts: Host[] = [];

  private constructor() {}

  /** Opens a laboratory that is taken down when the test `t` ends, however it ends. */
  static open(t: Pick<TestContext, 'after'>): Lab {
    removeLeftovers((owner) => !existsSync(`/proc/${owner}`));
    const lab = new Lab();
    t.after(async () => await lab.#close());
    return lab;
  }

  async host(title: string): Promise<Host> {
    const host = await Host.create(`wt-${process.pid}-${++hostNumber}-${title}`);
    this.#hosts.push(host);
    return host;
  }

  /** A cable: a pair of virtual Ethernet interfaces, up at both ends. */
  async cable([a, aName]: CableEnd, [b, bName]: CableEnd, mtu = 1500): Promise<void> {
    await a.ip(`link add ${aName} mtu ${mtu} type veth peer name ${bName} mtu ${mtu} netns ${b.namespace}`);
    await Promise.all([a.ip(`link set ${aName} up`), b.ip(`link set ${bName} up`)]);
    // The kernel tells of the carrier a moment later, and what is compared before and after a test shows it.
    for (const [host, name] of [[a, aName] as const, [b, bName] as const])
      await waitFor(`the carrier of ${name}`, async () => / state UP /.test(await host.ip(`-o link show dev ${name}`)));
  }

  async #close(): Promise<void> {
    await Promise.all(this.#hosts.map(async (host) => await host.remove()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A name for a WireGuard interface that no other test on this machine has: control sockets live in one folder. */
export function uniqueInterfaceName(): string {
  return `e2e-${process.pid.toString(36)}-${(interfaceNumber++).toString(36)}`;
}

/** Adds an address for use at once. */
export async function addAddress(host: Host, interfaceName: string, address: string): Promise<void> {
  await host.ip(`addr add ${address} dev ${interfaceName}${address.includes(':') ? ' nodad' : ''}`);
}

/** Gives both ends of a cable an address. */
export async function addAddresses(...ends: readonly (readonly [...CableEnd, ...string[]])[]): Promise<void> {
  for (const [host, name, ...addresses] of ends) for (const address of addresses) await addAddress(host, name, address);
}

/** Writes a packet filter's rule that drops `percent` of the UDP datagrams that come in. */
export async function loseDatagrams(host: Host, percent: number): Promise<void> {
  await host.nft(`table inet loss {
    chain input { type filter hook input priority 0; meta l4proto udp numgen random mod 100 < ${percent} counter drop; }
  }`);
}

/** Removes what belongs to the tests of some processes. Waits for nobody: for the end of a process that has no time left. */
function removeLeftovers(isOwner: (processId: number) => boolean): void {
  for (const { folder, name, radix, remove } of LEFTOVERS) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder)) {
      const owner = name.exec(entry)?.[1];
      if (owner !== undefined && isOwner(Number.parseInt(owner, radix))) remove(folder, entry);
    }
  }
}

function removeNamespaceNow(_folder: string, namespace: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
  const pids = stdout.split('\n').filter(Boolean);
  if (pids.length > 0) spawnSync('kill', ['-KILL', ...pids]);
  spawnSync('ip', ['netns', 'del', namespace]);
}

function removeFile(folder: string, entry: string): void {
  rmSync(join(folder, entry), { recursive: true, force: true });
}

process.once('exit', () => removeLeftovers((owner) => owner === process.pid));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Whether this kernel has WireGuard built in or loaded: then `ip link add type wireguard` succeeds. */
export async function kernelHasWireguard(host: Host): Promise<boolean> {
  return (await host.attempt('ip', ['link', 'add', 'probe', 'type', 'wireguard'])).status === 0;
}
