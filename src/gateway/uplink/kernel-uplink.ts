import { existsSync, readFileSync, readlinkSync } from 'node:fs';

import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { LinuxTun } from '../../host/linux-tun.js';
import { type Commands, SystemCommands } from '../../host/net/commands.js';
import type { Tun } from '../../host/tun.js';
import { findAddon } from '../../rootless/engine.js';
import { KernelSwitches, type Switch } from './kernel-switches.js';
import { uplinkRules, uplinkTable } from './uplink-rules.js';

/** The name of the interface by which devices reach the kernel. */
export const UPLINK_NAME = 'wt-gateway';

export interface UplinkOptions {
  /** The gateway's own address in each subnet, with the length of the subnet. */
  readonly addresses: readonly IpPrefix[];
  readonly mtu: number;
}

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;

/**
 * An interface of the kernel for the traffic of devices, with masquerade by nftables. All of it goes with `close`; after a
 * kill the interface goes by itself, and the next start takes over the table and the old values of the switches.
 */
export class KernelUplink {
  readonly tun: Tun;
  readonly #commands: Commands;
  readonly #switches: KernelSwitches;

  /** @throws {WireGuardError} ERR_UPLINK: root is missing, or a program. Others: nothing is left behind. */
  static async open(options: UplinkOptions, commands: Commands = new SystemCommands(() => {})): Promise<KernelUplink> {
    const addon = findAddon();
    if (addon === undefined) throw new WireGuardError('ERR_UPLINK', '--tun needs the C addon, which is not loaded');
    if (process.getuid?.() !== 0) throw new WireGuardError('ERR_UPLINK', '--tun needs root');
    for (const program of ['ip', 'nft'])
      if (!commands.has(program)) throw new WireGuardError('ERR_UPLINK', `--tun needs the program ${program}`);
    const tun = LinuxTun.open(addon, UPLINK_NAME);
    try {
      const addresses = options.addresses.filter(({ address }) => address.length === IPV4_BYTES || hasIpv6());
      await setUp({ ...options, addresses }, commands);
      return new KernelUplink(tun, commands, KernelSwitches.turn(switchesFor(addresses), recordPath()));
    } catch (error) {
      tun.close();
      await removeTable(commands);
      throw error;
    }
  }

  private constructor(tun: Tun, commands: Commands, switches: KernelSwitches) {
    this.tun = tun;
    this.#commands = commands;
    this.#switches = switches;
  }

  /** Removes the table, and puts the switches back. The interface goes with its TUN. */
  async close(): Promise<void> {
    await removeTable(this.#commands);
    this.#switches.turnBack();
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

/** The file of old values, for the next start after a kill: one for each network namespace, which has switches of its own. */
function recordPath(): string {
  const number = /\d+/.exec(readlinkSync('/proc/self/ns/net'))![0];
  return `/run/wiretype-gateway-switches-${number}`;
}

/** A host may have been told to do without IPv6: devices have none beyond the gateway then. */
function hasIpv6(): boolean {
  const file = '/proc/sys/net/ipv6/conf/all/disable_ipv6';
  return existsSync(file) && readFileSync(file, 'utf8').trim() === '0';
}

/** The switches that forwarding needs, for the families of the subnets. */
function switchesFor(addresses: readonly IpPrefix[]): Switch[] {
  const has = (bytes: number): boolean => addresses.some(({ address }) => address.length === bytes);
  const switches: Switch[] = [];
  if (has(IPV4_BYTES)) switches.push({ file: '/proc/sys/net/ipv4/ip_forward', from: '0', to: '1' });
  if (!has(IPV6_BYTES)) return switches;
  // A host that forwards ignores router advertisements, and would lose its own route, unless this is 2.
  for (const name of interfacesOfDefaultRoutes())
    switches.push({ file: `/proc/sys/net/ipv6/conf/${name}/accept_ra`, from: '1', to: '2' });
  return [...switches, { file: '/proc/sys/net/ipv6/conf/all/forwarding', from: '0', to: '1' }];
}

function interfacesOfDefaultRoutes(): string[] {
  const routes = readFileSync('/proc/net/ipv6_route', 'utf8').matchAll(/^0{32} 00 0{32} 00 .* (\S+)$/gm);
  return [...new Set([...routes].map(([, name]) => name!))].filter((name) => name !== 'lo');
}
