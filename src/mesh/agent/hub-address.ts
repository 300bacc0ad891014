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
  const at = endpoint.lastIndexOf(':');
  const address = await lookup(endpoint.slice(0, at).replace(/^\[|\]$/g, '')).catch(() => undefined);
  if (address === undefined) return undefined;
  const port = endpoint.slice(at);
  const udp = parseEndpoint(address.includes(':') ? `[${address}]${port}` : `${address}${port}`, NO_ZONES);
  if (udp === undefined) return undefined;
  return { udp, second: secondPort === undefined ? undefined : Endpoint.from(udp.address, secondPort) };
}

/** Returns the URL of the hub's control connection, inside of the tunnel. */
export function controlUrl({ addresses }: HubInfo): string {
  const host = addresses[0]!;
  return `ws://${host.includes(':') ? `[${host}]` : host}/mesh/control`;
}
