import { NO_ZONES, parseEndpoint } from '../../control/endpoint-text.js';
import { Endpoint } from '../../wire/endpoint.js';
import type { HubInfo } from '../map/messages.js';

export interface HubAddress {
  readonly udp: Endpoint;
  /** The second port, by which a mapping is recognized. */
  readonly second: Endpoint | undefined;
}

/** Looks up where the hub is: its name may lead elsewhere by now. @returns `undefined`: the name is not found. */
export async function findHub(
  { endpoint, secondPort }: HubInfo,
  lookup: (host: string) => Promise<string>,
): Promise<HubAddress | undefined> {
  const udp = await locate(endpoint, lookup).catch(() => undefined);
  if (udp === undefined) return undefined;
  return { udp, second: secondPort === undefined ? undefined : Endpoint.from(udp.address, secondPort) };
}

/** Looks up the name in `HOST:PORT`. @throws What `lookup` throws. */
export async function locate(
  endpoint: string,
  lookup: (host: string) => Promise<string>,
): Promise<Endpoint | undefined> {
  const at = endpoint.lastIndexOf(':');
  const address = await lookup(endpoint.slice(0, at).replace(/^\[|\]$/g, ''));
  return parseEndpoint(`${urlHost(address)}${endpoint.slice(at)}`, NO_ZONES);
}

/** Returns the URL of the hub's control connection, inside of the tunnel. */
export function controlUrl({ addresses }: HubInfo): string {
  return `ws://${urlHost(addresses[0]!)}/mesh/control`;
}

/** Writes an address as it stands in a URL, or before a port. */
export function urlHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
