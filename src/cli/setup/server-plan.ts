import type { ConfigAddress } from '../../control/config/config-values.js';
import { type ConfigEndpoint, formatConfigEndpoint } from '../../control/config/peer-values.js';
import { formatIpPrefix, networkOf } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import { isReserved, overlaps } from './address-range.js';
import type { HostNetwork } from './host-network.js';
import { checkOption } from './option-values.js';
import { pickPort, pickSubnet4, pickSubnet6 } from './server-config.js';
import type { SiblingServer } from './sibling-servers.js';

/** Ports and networks that a new server must not collide with. */
export interface Neighbours {
  readonly host: HostNetwork;
  /** The name of the new interface, whose own networks do not count where it is up. */
  readonly interfaceName: string;
  readonly siblings: readonly SiblingServer[];
  /** Accept collisions that the user chose. */
  readonly isForced: boolean;
}

/** Chooses the port, or checks the port that the user chose. @throws {WireGuardError} ERR_VALUE */
export function choosePort({ host, siblings, isForced }: Neighbours, chosen: string | undefined): number {
  if (chosen === undefined) return pickPort(host, new Set(siblings.map(({ listenPort }) => listenPort)));
  const port = checkOption<number>('--port', 'ListenPort', chosen);
  if (port === 0) throw new WireGuardError('ERR_VALUE', '--port: clients need a fixed port, and 0 is any free one');
  const owner = siblings.find(({ listenPort }) => listenPort === port);
  if (owner === undefined || isForced) return port;
  throw new WireGuardError('ERR_VALUE', `--port: ${owner.path} has the port ${port}; --force uses it nevertheless`);
}

/**
 * Chooses the addresses, or checks those that the user chose. @returns Texts with prefix lengths.
 *
 * @throws {WireGuardError} ERR_VALUE
 */
export function chooseAddresses(neighbours: Neighbours, chosen: string | undefined): ConfigAddress[] {
  const { host, interfaceName, siblings, isForced } = neighbours;
  const ofHost = host.networks(interfaceName);
  const used = [...ofHost, ...siblings.flatMap(({ addresses }) => addresses)];
  if (chosen === undefined) return readAddresses(`${pickSubnet4(host, used)}, ${pickSubnet6(host)}`);

  const addresses = readAddresses(chosen);
  for (const address of addresses) refuseReserved(address);
  if (!addresses.some(hasRoom)) {
    throw new WireGuardError(
      'ERR_VALUE',
      `--address ${chosen}: without a prefix length, as in /24, no peer has an address`,
    );
  }
  if (!isForced) refuseUsed(addresses, ofHost, siblings);
  return addresses;
}

/** Completes HOST or HOST:PORT. @throws {WireGuardError} ERR_VALUE */
export function toEndpoint(text: string, listenPort: number): string {
  const hasPort = /^\[.*\]:|^[^:]*:[^:]*$/.test(text);
  const isBareIpv6 = !hasPort && text.includes(':') && !text.startsWith('[');
  const complete = hasPort ? text : `${isBareIpv6 ? `[${text}]` : text}:${listenPort}`;
  return formatConfigEndpoint(checkOption<ConfigEndpoint>('--endpoint', 'Endpoint', complete));
}

function readAddresses(text: string): ConfigAddress[] {
  const addresses = checkOption<ConfigAddress[]>('--address', 'Address', text);
  if (addresses.length === 0) throw new WireGuardError('ERR_VALUE', '--address: the list is empty');
  return addresses;
}

function hasRoom({ address, prefixLength }: IpPrefix): boolean {
  return prefixLength < 8 * address.length;
}

function refuseReserved(address: ConfigAddress): void {
  if (!isReserved(address, address.address)) return;
  const network = formatIpPrefix(networkOf(address));
  throw new WireGuardError(
    'ERR_VALUE',
    `--address ${address.text}: this is the address of the subnet ${network} itself or its broadcast address`,
  );
}

function refuseUsed(
  addresses: readonly ConfigAddress[],
  ofHost: readonly IpPrefix[],
  siblings: readonly SiblingServer[],
): void {
  for (const address of addresses) {
    const refuse = (network: IpPrefix, owner: string) => {
      const shown = formatIpPrefix(networkOf(network));
      const message = `--address ${address.text}: ${owner} ${shown}; --force uses it nevertheless`;
      throw new WireGuardError('ERR_VALUE', message);
    };
    const own = ofHost.find((network) => overlaps(network, address));
    if (own !== undefined) refuse(own, 'this host is in the network');
    for (const { path, addresses: others } of siblings) {
      const other = others.find((network) => overlaps(network, address));
      if (other !== undefined) refuse(other, `${path} has the network`);
    }
  }
}
