import { networkInterfaces } from 'node:os';

import { formatIpAddress, formatIpPrefix, networkOf, parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import type { GatewaySettings } from '../../gateway/gateway-model.js';
import type { HostNetwork } from '../setup/host-network.js';
import { pickPort, pickSubnet4, pickSubnet6 } from '../setup/server-config.js';

export interface FirstChoices {
  /** `HOST` or `HOST:PORT`, as devices reach the gateway. Absent: an address of this host. */
  readonly endpoint?: string;
  /** Absent: the first free one from 51820 on. */
  readonly listenPort?: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Makes the settings of a first run, with a port and subnets that this host does not use. */
export function firstSettings(host: HostNetwork, { endpoint, listenPort, environment }: FirstChoices): GatewaySettings {
  const port = listenPort ?? pickPort(host, new Set());
  return {
    endpoint: withPort(endpoint ?? bestAddress(host), port),
    listenPort: port,
    subnet4: networkText(pickSubnet4(host, host.networks())),
    subnet6: networkText(pickSubnet6(host)),
    dns: [],
    mtu: 1_420,
    persistentKeepaliveSeconds: 25,
    defaultSwitches: { internet: true, lan: false, devices: false },
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    language: /^zh/.test(environment['LC_ALL'] ?? environment['LANG'] ?? '') ? 'zh-CN' : 'en',
  };
}

/** The address that others most likely reach this host by: that of the default route, else any that is not its own alone. */
function bestAddress(host: HostNetwork): string {
  const name = host.defaultInterface(4) ?? host.defaultInterface(6);
  const ofRoute = name === undefined ? undefined : host.addressOf(name);
  const others = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return ofRoute ?? others.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}

function withPort(host: string, port: number): string {
  if (/^\[.*\]:\d+$|^[^:]+:\d+$/.test(host)) return host;
  const bare = host.replace(/^\[|\]$/g, '');
  return parseIpAddress(bare)?.length === 16
    ? `[${formatIpAddress(parseIpAddress(bare)!)}]:${port}`
    : `${bare}:${port}`;
}

/** The network of an address with its length. */
function networkText(text: string): string {
  return formatIpPrefix(networkOf(parseIpPrefix(text)!));
}
