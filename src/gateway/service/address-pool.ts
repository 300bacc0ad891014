import { formatIpAddress, networkOf, parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { GatewaySettings } from '../gateway-model.js';

/** Host numbers that are searched: more devices than an engine holds. */
const MAX_HOST_NUMBER = 65_536 + 2;

/** The gateway's own addresses: the first of each subnet, with its length. */
export function gatewayAddresses({ subnet4, subnet6 }: GatewaySettings): IpPrefix[] {
  return [subnet4, subnet6].flatMap((text) => {
    const subnet = text === undefined ? undefined : parseIpPrefix(text);
    return subnet === undefined ? [] : [{ ...subnet, address: hostAddress(subnet, 1) }];
  });
}

/**
 * Chooses the addresses of a new device: the first host number that nobody has in any subnet.
 *
 * @param used Addresses of all devices, those in the bin as well: nobody inherits what others may still allow.
 * @throws {WireGuardError} ERR_SUBNET_FULL
 */
export function freeAddresses(settings: GatewaySettings, used: Iterable<string>): string[] {
  const subnets = gatewayAddresses(settings);
  const parsed = [...used].map((text) => parseIpAddress(text)!);
  const taken = new Set(subnets.flatMap((subnet) => hostNumbers(subnet, parsed)));
  for (let host = 2; host < MAX_HOST_NUMBER; host++) {
    if (!subnets.every((subnet) => isHost(subnet, host))) break;
    if (!taken.has(host)) return subnets.map((subnet) => formatIpAddress(hostAddress(subnet, host)));
  }
  throw new WireGuardError('ERR_SUBNET_FULL', `every address of ${settings.subnet4} belongs to a device`);
}

/** Returns the host numbers of addresses. One of another network gets a number that no host of the subnet has. */
function hostNumbers(subnet: IpPrefix, addresses: readonly Uint8Array[]): number[] {
  const { address: base } = networkOf(subnet);
  return addresses.flatMap((address) => {
    if (address.length !== base.length) return [];
    let number = 0;
    for (let at = 0; at < base.length; at++) number = number * 256 + (address[at]! ^ base[at]!);
    return [number];
  });
}

/** Sets the host bits of a subnet. */
function hostAddress(subnet: IpPrefix, host: number): Uint8Array {
  const result = networkOf(subnet).address;
  for (let at = result.length - 1, rest = host; rest > 0 && at >= 0; at--, rest = Math.floor(rest / 256))
    result[at]! |= rest & 0xff;
  return result;
}

/** Tests that a number is neither the network's nor, for IPv4, its broadcast address. */
function isHost({ address, prefixLength }: IpPrefix, host: number): boolean {
  const bits = 8 * address.length - prefixLength;
  const last = address.length === 4 ? 2 ** bits - 1 : 2 ** Math.min(bits, 32);
  return host > 0 && host < last;
}
