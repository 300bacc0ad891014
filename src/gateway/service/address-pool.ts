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
  const taken = new Set([...used].map((text) => formatIpAddress(parseIpAddress(text)!)));
  const subnets = gatewayAddresses(settings);
  for (let host = 2; host < MAX_HOST_NUMBER; host++) {
    const addresses = subnets.map((subnet) => (isHost(subnet, host) ? formatIpAddress(hostAddress(subnet, host)) : ''));
    if (addresses[0] === '') break;
    if (addresses.every((address) => address !== '' && !taken.has(address))) return addresses;
  }
  throw new WireGuardError('ERR_SUBNET_FULL', `every address of ${settings.subnet4} belongs to a device`);
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
