/**
 * The internet of the guides: three networks with a router between them, and one server that everybody knows.
 *
 * ```text
 *   192.0.2.10/24     ═══ .1 ┐
 *   2001:db8:1::10        ::1 │
 *   198.51.100.10/24  ═══ .1 ├ internet    9.9.9.9, 2620:fe::fe   lo
 *   2001:db8:2::10        ::1 │              port 53: names, port 80: the address it sees
 *   203.0.113.10/24   ═══ .1 ┘
 *   2001:db8:3::10        ::1
 * ```
 */
import { fileURLToPath } from 'node:url';

import { addAddresses, type Lab } from './lab.js';
import type { Machine } from './machine.js';
import type { Host } from './namespace.js';

/** The server that everybody knows. */
export const KNOWN_SERVER = { 4: '9.9.9.9', 6: '2620:fe::fe' };
/** The addresses of the first, second and third host that is connected. */
export const PUBLIC_ADDRESSES = [
  { 4: '192.0.2.10', 6: '2001:db8:1::10' },
  { 4: '198.51.100.10', 6: '2001:db8:2::10' },
  { 4: '203.0.113.10', 6: '2001:db8:3::10' },
] as const;
const NAME_OF_KNOWN_SERVER = 'www.example.org';

export class Internet {
  readonly host: Host;
  readonly #lab: Lab;
  #connected = 0;

  private constructor(lab: Lab, host: Host) {
    this.#lab = lab;
    this.host = host;
  }

  static async open(lab: Lab): Promise<Internet> {
    const host = await lab.host('internet');
    await host.forwards();
    await addAddresses([host, 'lo', `${KNOWN_SERVER[4]}/32`, `${KNOWN_SERVER[6]}/128`]);
    const services = fileURLToPath(new URL('internet-services.js', import.meta.url));
    await host.start(process.execPath, [services, KNOWN_SERVER[4], KNOWN_SERVER[6]]).says(/ready/);
    return new Internet(lab, host);
  }

  /** Connects a host by its eth0, with the next of the public addresses and default routes. */
  async connect(host: Host): Promise<void> {
    const addresses = PUBLIC_ADDRESSES[this.#connected]!;
    const port = `net${this.#connected++}`;
    const [router4, router6] = [addresses[4].replace(/10$/, '1'), addresses[6].replace(/10$/, '1')];
    await this.#lab.cable([host, 'eth0'], [this.host, port]);
    await addAddresses(
      [host, 'eth0', `${addresses[4]}/24`, `${addresses[6]}/64`],
      [this.host, port, `${router4}/24`, `${router6}/64`],
    );
    await host.ip(`route add default via ${router4}`);
    await host.ip(`-6 route add default via ${router6}`);
  }
}

/** Returns the client address that the known server sees. @param namespace Of the machine's own, where to ask from. */
export async function seenAddress(machine: Machine, family: 4 | 6, namespace?: string): Promise<string> {
  const address = family === 4 ? KNOWN_SERVER[4] : `[${KNOWN_SERVER[6]}]`;
  return await runInside(machine, namespace, ['socat', '-u', `TCP${family}:${address}:80,connect-timeout=60`, '-']);
}

/** Looks a name up, by the name servers that the machine has. @param namespace As of `seenAddress`. */
export async function lookUpName(machine: Machine, namespace?: string): Promise<string> {
  return await runInside(machine, namespace, ['getent', 'ahostsv4', NAME_OF_KNOWN_SERVER]);
}

async function runInside(machine: Machine, namespace: string | undefined, words: readonly string[]): Promise<string> {
  const [command, ...args] = namespace === undefined ? words : ['ip', 'netns', 'exec', namespace, ...words];
  return await machine.run(command!, args);
}
