import { type ConfigDocument, clearChange, readDeviceChange } from '../control/config/index.js';
import { formatIpAddress } from '../control/ip-text.js';
import { Tunnel } from '../host/tunnel.js';
import { createEngine } from './engine.js';
import { StackLoop } from './stack-loop.js';
import { readTunnelConfig, type TunnelConfig } from './tunnel-config.js';
import { TunnelHost } from './tunnel-host.js';

const DEFAULT_MTU = 1_420;
const NAME_RETRIES = 2;

export interface OpenTunnelOptions {
  /** Gives up on looking up the names of endpoints, and closes the tunnel when it is aborted later. */
  readonly signal?: AbortSignal;
}

/**
 * Gives this program a place of its own in a WireGuard network.
 *
 * ```ts
 * await using tunnel = await openTunnel('wg0.conf');
 * const socket = tunnel.connect({ host: 'db.internal', port: 5432 });
 * const response = await fetch('http://10.0.0.1/', { dispatcher: tunnel.dispatcher });
 * ```
 *
 * @param config The path of a file, its text, a file that was read by `wiretype/config`, or an object.
 * @throws {WireGuardError} ERR_CONFIG, ERR_CONFIG_FILE, ERR_NAME_RESOLUTION, ERR_PORT_IN_USE
 */
export async function openTunnel(
  config: string | URL | TunnelConfig | ConfigDocument,
  { signal }: OpenTunnelOptions = {},
): Promise<TunnelHost> {
  signal?.throwIfAborted();
  const document = await readTunnelConfig(config);
  const section = document.interfaceSection!;
  const addresses = section.addresses.map(({ address }) => address);
  const { clock, segmenter, parts } = createEngine();
  const change = await readDeviceChange(document, {
    retries: NAME_RETRIES,
    interruption: signal ?? new AbortController().signal,
    warn: () => {},
  });
  try {
    const mtu = section.mtu ?? DEFAULT_MTU;
    const loop = new StackLoop({ name: document.fileName, clock, segmenter, addresses, mtu });
    const tunnel = await Tunnel.create({ ...parts, tun: loop.tun });
    const host = new TunnelHost({
      tunnel,
      loop,
      addresses: addresses.map(formatIpAddress),
      dnsServers: section.dns.servers.map(String),
      searchDomains: section.dns.searchDomains,
    });
    try {
      await tunnel.apply(change);
    } catch (error) {
      await host.close();
      throw error;
    }
    signal?.addEventListener('abort', () => void host.close(), { once: true });
    return host;
  } finally {
    clearChange(change);
  }
}
