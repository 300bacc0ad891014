import { existsSync, readFileSync, readlinkSync } from 'node:fs';

import { formatIpPrefix, networkOf, parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import { WireGuardError } from '../../core/errors.js';
import { KernelSwitches, type Switch } from '../../gateway/uplink/kernel-switches.js';
import { LinuxTun } from '../../host/linux-tun.js';
import type { Commands } from '../../host/net/commands.js';
import { AGENT_MTU } from '../../mesh/agent/open-agent.js';
import type { IpFamily } from '../../wire/endpoint.js';
import { requireAddon } from '../daemon/native-parts.js';

const MAX_NAME = 15;
/** A network that this host is on itself has a route that is preferred to this one, whatever made it. */
const ROUTE_METRIC = '30000';

export interface MeshInterfaceOptions {
  readonly network: string;
  readonly addresses: readonly string[];
  readonly subnets: readonly string[];
  /** Ranges of this host's networks that others reach through it. */
  readonly leadsTo: readonly string[];
}

/** Name of the interface of a network: `wt-` and what fits of the network's name. */
export function interfaceName(network: string): string {
  return `wt-${network}`.slice(0, MAX_NAME);
}

/**
 * The interface of an agent with its addresses and routes, and masquerade for the ranges that it leads to. All of it goes with
 * `close`; after a kill the interface goes by itself, and the next start takes over the packet filter and the switches.
 */
export class MeshInterface {
  readonly tun: LinuxTun;
  readonly #commands: Commands;
  readonly #options: MeshInterfaceOptions;
  #routes: readonly string[] = [];
  #leadsTo: readonly string[] = [];
  #switches: KernelSwitches | undefined;

  /** @throws {WireGuardError} ERR_NOT_ROOT, ERR_TUN_…, ERR_COMMAND_FAILED. Nothing is left behind then. */
  static async open(options: MeshInterfaceOptions, commands: Commands): Promise<MeshInterface> {
    if (process.getuid?.() !== 0)
      throw new WireGuardError('ERR_NOT_ROOT', 'an interface is made by root only; --rootless does without one');
    const tun = LinuxTun.open(requireAddon(), interfaceName(options.network));
    const made = new MeshInterface(tun, options, commands);
    try {
      await made.#setUp();
      return made;
    } catch (error) {
      tun.close();
      throw error;
    }
  }

  private constructor(tun: LinuxTun, options: MeshInterfaceOptions, commands: Commands) {
    this.tun = tun;
    this.#options = options;
    this.#commands = commands;
  }

  /** The families of addresses that this host has. */
  get families(): readonly IpFamily[] {
    return isPossible('::') ? [4, 6] : [4];
  }

  /** Makes the routes into the interface those of other nodes, besides the network's own ranges. */
  async setRoutes(routes: readonly string[]): Promise<void> {
    for (const route of this.#routes) if (!routes.includes(route)) await this.#route('delete', route);
    for (const route of routes) if (!this.#routes.includes(route)) await this.#route('replace', route);
    this.#routes = [...routes];
  }

  /** Lets others through to ranges of this host's networks, with the host's own address. */
  async setLeadsTo(ranges: readonly string[]): Promise<void> {
    if (ranges.join() === this.#leadsTo.join()) return;
    this.#leadsTo = [...ranges];
    if (ranges.length === 0) return await this.#stopLeading();
    await this.#commands.run(['nft', '-f', '-'], masqueradeRules(this.tun.name, this.#options.subnets, ranges));
    this.#switches ??= KernelSwitches.turn(switchesFor(ranges), recordPath(this.tun.name));
  }

  /** The interface goes with its TUN, which the agent closes. */
  async close(): Promise<void> {
    await this.setRoutes([]);
    if (this.#leadsTo.length > 0) await this.#stopLeading();
  }

  async #stopLeading(): Promise<void> {
    await this.#commands.ask(['nft', 'delete', 'table', 'inet', tableName(this.tun.name)]);
    this.#switches?.turnBack();
    this.#switches = undefined;
  }

  async #setUp(): Promise<void> {
    const { name } = this.tun;
    const { addresses, subnets } = this.#options;
    await this.#commands.run(['ip', 'link', 'set', 'mtu', String(AGENT_MTU), 'up', 'dev', name]);
    for (const address of addresses.filter(isPossible)) {
      const { length } = parseIpAddress(address)!;
      const subnet = subnets.map((text) => parseIpPrefix(text)!).find((prefix) => prefix.address.length === length);
      const text = formatIpPrefix({
        address: parseIpAddress(address)!,
        prefixLength: subnet?.prefixLength ?? 8 * length,
      });
      const words = text.includes(':') ? [text, 'nodad'] : [text];
      await this.#commands.run(['ip', 'address', 'add', ...words, 'dev', name]);
    }
  }

  async #route(verb: 'delete' | 'replace', route: string): Promise<void> {
    if (!isPossible(route)) return;
    const text = formatIpPrefix(networkOf(parseIpPrefix(route)!));
    const family = text.includes(':') ? '-6' : '-4';
    const words = ['ip', family, 'route', verb, text, 'dev', this.tun.name, 'metric', ROUTE_METRIC];
    if (verb === 'delete') await this.#commands.ask(words);
    else await this.#commands.run(words);
  }
}

function tableName(name: string): string {
  return `wiretype-${name}`;
}

/** Nobody but nodes begins flows through this host, and only to the ranges that were approved. */
function masqueradeRules(name: string, subnets: readonly string[], ranges: readonly string[]): string {
  const table = `inet ${tableName(name)}`;
  const masquerades = ranges.flatMap((range) => {
    const is6 = range.includes(':');
    const sources = subnets.filter((subnet) => subnet.includes(':') === is6);
    return sources.map(
      (subnet) =>
        `    ${is6 ? 'ip6' : 'ip'} saddr ${subnet} ${is6 ? 'ip6' : 'ip'} daddr ${range} oifname != "${name}" masquerade`,
    );
  });
  return [
    `table ${table} { }`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    `    oifname "${name}" ct state != { established, related } drop`,
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    ...masquerades,
    '  }',
    '}',
    '',
  ].join('\n');
}

function switchesFor(ranges: readonly string[]): Switch[] {
  const v4 = { file: '/proc/sys/net/ipv4/ip_forward', from: '0', to: '1' };
  const v6 = { file: '/proc/sys/net/ipv6/conf/all/forwarding', from: '0', to: '1' };
  return [
    ...(ranges.some((range) => !range.includes(':')) ? [v4] : []),
    ...(ranges.some((range) => range.includes(':')) ? [v6] : []),
  ];
}

function recordPath(name: string): string {
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/net'))![0];
  return `/run/wiretype-${name}-switches-${namespace}`;
}

/** A host may have been told to do without IPv6. */
function isPossible(text: string): boolean {
  if (!text.includes(':')) return true;
  const file = '/proc/sys/net/ipv6/conf/all/disable_ipv6';
  return existsSync(file) && readFileSync(file, 'utf8').trim() === '0';
}
