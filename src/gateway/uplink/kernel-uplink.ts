import { readFileSync, writeFileSync } from 'node:fs';

import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { LinuxTun } from '../../host/linux-tun.js';
import { type Commands, SystemCommands } from '../../host/net/commands.js';
import type { Tun } from '../../host/tun.js';
import { findAddon } from '../../rootless/engine.js';
import { uplinkRules, uplinkTable } from './uplink-rules.js';

/** The name of the interface by which devices reach the kernel. */
export const UPLINK_NAME = 'wt-gateway';

export interface UplinkOptions {
  /** The gateway's own address in each subnet, with the length of the subnet. */
  readonly addresses: readonly IpPrefix[];
  readonly mtu: number;
}

/** Files of switches with the values that they had. */
type Switches = readonly (readonly [file: string, value: string])[];

/** Switches of the kernel that forwarding needs, with the length of the addresses that each is for. */
const FORWARDING = [
  ['/proc/sys/net/ipv4/ip_forward', 4],
  ['/proc/sys/net/ipv6/conf/all/forwarding', 16],
] as const;

/**
 * An interface of the kernel for the traffic of devices, with masquerade by nftables. All of it goes with `close`; after a
 * kill the interface goes by itself, and the next start replaces the table.
 */
export class KernelUplink {
  readonly tun: Tun;
  readonly #commands: Commands;
  readonly #before: Switches;

  /** @throws {WireGuardError} ERR_UPLINK: root is missing, or a program. Others: nothing is left behind. */
  static async open(options: UplinkOptions, commands: Commands = new SystemCommands(() => {})): Promise<KernelUplink> {
    const addon = findAddon();
    if (addon === undefined) throw new WireGuardError('ERR_UPLINK', '--tun needs the C addon, which is not loaded');
    if (process.getuid?.() !== 0) throw new WireGuardError('ERR_UPLINK', '--tun needs root');
    for (const program of ['ip', 'nft'])
      if (!commands.has(program)) throw new WireGuardError('ERR_UPLINK', `--tun needs the program ${program}`);
    const tun = LinuxTun.open(addon, UPLINK_NAME);
    try {
      await setUp(options, commands);
      return new KernelUplink(tun, commands, switchOn(options.addresses));
    } catch (error) {
      tun.close();
      await removeTable(commands);
      throw error;
    }
  }

  private constructor(tun: Tun, commands: Commands, before: Switches) {
    this.tun = tun;
    this.#commands = commands;
    this.#before = before;
  }

  /** Removes the table, and puts the switches back. The interface goes with its TUN. */
  async close(): Promise<void> {
    await removeTable(this.#commands);
    for (const [file, value] of this.#before) writeFileSync(file, value);
  }
}

async function setUp({ addresses, mtu }: UplinkOptions, commands: Commands): Promise<void> {
  await commands.run(['ip', 'link', 'set', UPLINK_NAME, 'mtu', String(mtu), 'up']);
  const subnets = addresses.map((address) => formatIpPrefix(networkOf(address)));
  for (const subnet of subnets)
    await commands.run(['ip', subnet.includes(':') ? '-6' : '-4', 'route', 'replace', subnet, 'dev', UPLINK_NAME]);
  await commands.run(['nft', '-f', '-'], uplinkRules(UPLINK_NAME, subnets));
}

async function removeTable(commands: Commands): Promise<void> {
  await commands.ask(['nft', 'delete', 'table', ...uplinkTable(UPLINK_NAME)]);
}

/** Turns forwarding on for the families of the subnets. @returns What to put back. */
function switchOn(addresses: readonly IpPrefix[]): Switches {
  const before: [string, string][] = [];
  for (const [file, bytes] of FORWARDING) {
    if (!addresses.some(({ address }) => address.length === bytes)) continue;
    if (bytes === 16) before.push(...keepRouterAdvertisements());
    const value = readFileSync(file, 'utf8').trim();
    if (value !== '0') continue;
    writeFileSync(file, '1');
    before.push([file, value]);
  }
  return before.reverse();
}

/** A host that forwards ignores router advertisements, and would lose its own route, unless this is 2. */
function keepRouterAdvertisements(): [string, string][] {
  const name = /^0{32} 00 0{32} 00 .* (\S+)$/m.exec(readFileSync('/proc/net/ipv6_route', 'utf8'))?.[1];
  if (name === undefined || name === 'lo') return [];
  const file = `/proc/sys/net/ipv6/conf/${name}/accept_ra`;
  if (readFileSync(file, 'utf8').trim() !== '1') return [];
  writeFileSync(file, '2');
  return [[file, '1']];
}
