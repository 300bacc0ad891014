import { parseIpAddress } from '../control/ip-text.js';
import { addressEquals, addressWords } from '../netstack/address.js';
import type { SocketHost } from './socket-host.js';

const UNSPECIFIED = new Set(['0.0.0.0', '::', '']);

/**
 * Finds the address that a server or a port is bound to.
 *
 * @returns `undefined` for all addresses of the tunnel, `null` if the tunnel has no such address.
 */
export function ownAddress({ loop }: SocketHost, host: string | undefined): Int32Array | undefined | null {
  if (host === undefined || UNSPECIFIED.has(host)) return undefined;
  const bytes = parseIpAddress(host);
  if (bytes === undefined) return null;
  const words = addressWords(bytes);
  return loop.stack.addresses.some((own) => addressEquals(own, 0, words, 0)) ? words : null;
}
