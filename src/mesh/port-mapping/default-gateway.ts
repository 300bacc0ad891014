import { endianness } from 'node:os';

const FLAG_UP = 0x1;
const FLAG_GATEWAY = 0x2;
const ADDRESS = /^[0-9A-F]{8}$/i;

/**
 * Finds the router of the default route of IPv4 in the kernel's table of routes, the one of the lowest metric.
 *
 * @param table The text of /proc/net/route.
 * @param isLittleEndian Addresses in the table are words of the machine's byte order.
 * @returns Four bytes, or `undefined` where no default route has a router.
 *
 * Source: proc(5) /proc/net/route: interface, destination, gateway, flags, references, use, metric, mask.
 */
export function parseDefaultGateway(
  table: string,
  isLittleEndian: boolean = endianness() === 'LE',
): Uint8Array | undefined {
  let best: { readonly gateway: string; readonly metric: number } | undefined;
  for (const line of table.split('\n')) {
    const [, destination, gateway = '', flags = '', , , metric = '', mask] = line.trim().split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000' || !ADDRESS.test(gateway)) continue;
    const usable = FLAG_UP | FLAG_GATEWAY;
    if ((Number.parseInt(flags, 16) & usable) !== usable) continue;
    if (best === undefined || Number(metric) < best.metric) best = { gateway, metric: Number(metric) };
  }
  if (best === undefined) return undefined;
  const address = new Uint8Array(4);
  new DataView(address.buffer).setUint32(0, Number.parseInt(best.gateway, 16), isLittleEndian);
  return address;
}
