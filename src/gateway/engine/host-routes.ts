import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

import { parseIpAddress } from '../../control/ip-text.js';

/** Public addresses that need a default route. Nothing is sent to them. */
const PROBES = { ipv4: '198.41.0.4', ipv6: '2001:4860:4860::8888' } as const;
const PROBE_PORT = 53;

/** All addresses of this host, 4 or 16 bytes each. */
export function hostAddresses(): Uint8Array[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => parseIpAddress(address.split('%')[0]!))
    .filter((address) => address !== undefined);
}

/** Tests for a route to the internet: a UDP socket that is connected asks the system for one, and sends nothing. */
export async function routesOfHost(): Promise<{ ipv4: boolean; ipv6: boolean }> {
  const [ipv4, ipv6] = await Promise.all([hasRoute('udp4', PROBES.ipv4), hasRoute('udp6', PROBES.ipv6)]);
  return { ipv4, ipv6 };
}

function hasRoute(type: 'udp4' | 'udp6', address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const end = (isFound: boolean): void => {
      socket.close();
      resolve(isFound);
    };
    socket.once('error', () => end(false));
    socket.once('connect', () => end(true));
    socket.connect(PROBE_PORT, address);
  });
}
