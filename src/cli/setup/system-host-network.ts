import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import type { Firewall, HostNetwork } from './host-network.js';

const TIMEOUT_MS = 10_000;
const ZEROS = '0'.repeat(32);

/** Folders of root's programs, which the PATH of a user may lack. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The network of this host. */
export const systemHostNetwork: HostNetwork = {
  defaultInterface: (family) => (family === 4 ? defaultInterface4() : defaultInterface6()),

  networks: (except) =>
    Object.entries(networkInterfaces())
      .flatMap(([name, addresses = []]) => (name === except ? [] : addresses))
      .map(({ cidr }) => (cidr === null ? undefined : parseIpPrefix(cidr)))
      .filter((prefix): prefix is IpPrefix => prefix !== undefined),

  addressOf: (name) => {
    const usable = (networkInterfaces()[name] ?? []).filter(({ address }) => !/^(?:fe80:|169\.254\.)/i.test(address));
    return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address;
  },

  hasInterface: (name) => existsSync(`/sys/class/net/${name}`),

  isUdpPortUsed(port) {
    const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    return ['udp', 'udp6'].some((table) => rows(table).some(([, address]) => address?.endsWith(local) === true));
  },

  firewall,
  hasProgram: (name) => {
    const folders = [...(process.env['PATH'] ?? '').split(':'), ...MORE_FOLDERS];
    return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
  },
  random: (bytes) => new Uint8Array(randomBytes(bytes)),
};

/**
 * Returns the interface of the default route of IPv4.
 *
 * Source: proc(5) /proc/net/route: interface, destination, gateway, flags, …, mask at 7.
 */
function defaultInterface4(): string | undefined {
  return rows('route').find(
    ([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000',
  )?.[0];
}

/**
 * Returns the interface of the default route of IPv6. The kernel's last resort, on lo, does not count.
 *
 * Source: proc(5) /proc/net/ipv6_route: destination, its length, …, interface at 9.
 */
function defaultInterface6(): string | undefined {
  return rows('ipv6_route').find(([destination, length, , , , , , , , name]) => {
    return destination === ZEROS && length === '00' && name !== 'lo';
  })?.[9];
}

/**
 * Chooses iptables where it drops forwarded packets, as Docker and ufw configure it: a table of nft cannot let packets
 * pass that iptables drops.
 */
async function firewall(): Promise<Firewall> {
  const rules = await tryRun('iptables', ['-S', 'FORWARD']);
  if (rules !== undefined && !/^-P FORWARD ACCEPT\n$/.test(rules)) return 'iptables';
  if ((await tryRun('nft', ['--version'])) !== undefined) return 'nft';
  return rules === undefined ? 'none' : 'iptables';
}

/** @returns The output of the program; `undefined` if it is missing, or fails. */
async function tryRun(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, args, { timeout: TIMEOUT_MS })).stdout;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Returns the words of each line of a table of the kernel. */
function rows(table: string): string[][] {
  try {
    const lines = readFileSync(`/proc/net/${table}`, 'latin1').split('\n');
    return lines.map((line) => line.trim().split(/\s+/));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}
