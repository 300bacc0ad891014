import { formatConfigEndpoint } from '../../control/config/index.js';
import { formatIpAddress } from '../../control/ip-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { detectMtu } from '../../host/net/mtu.js';
import type { Endpoint } from '../../wire/endpoint.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

/** The kernel removes IPv6 from an interface with a smaller MTU (RFC 8200 §5). */
export const MIN_IPV6_MTU_BYTES = 1_280;

/** Facts that the MTU of a tunnel depends on, besides its file. */
export interface MtuContext {
  /** The endpoints of the peers. */
  readonly endpoints: readonly Endpoint[];
  readonly allowedIps: readonly IpPrefix[];
  /** Firewall mark of the datagrams to the peers; 0: none. */
  readonly mark: number;
}

/** Returns the parts of a file that a computed MTU depends on: the MTU is the same while they are. */
export function mtuInputs({ document, addresses }: QuickConfig): string {
  const { peers, interfaceSection } = document;
  const endpoints = peers.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [formatConfigEndpoint(endpoint)]));
  const ranges = peers.flatMap(({ allowedIps }) => [...allowedIps]);
  const families = new Set(
    [...addresses, ...ranges].map((item) => ('family' in item ? item.family : item.address.length === 16 ? 6 : 4)),
  );
  const isDefault = ranges.some(({ prefixLength }) => prefixLength === 0);
  return JSON.stringify([[...new Set(endpoints)].sort(), families.has(6), isDefault, interfaceSection?.fwMark ?? 0]);
}

/** @returns Bytes: the file's MTU, or what the paths to the peers allow, and no less than IPv6 needs. */
export async function chooseMtu(
  host: QuickHost,
  config: QuickConfig,
  { endpoints, allowedIps, mark }: MtuContext,
): Promise<number> {
  if (config.mtu !== undefined) return config.mtu;
  // An endpoint with a zone is on the link itself, which is rarely narrower than the path beyond.
  const routed = endpoints.filter(({ scopeId }) => scopeId === 0).map(({ address }) => formatIpAddress(address));
  const mtu = await detectMtu(host.commands, routed, mark, config.interfaceName);
  const hasIpv6 =
    config.addresses.some(({ family }) => family === 6) || allowedIps.some(({ address }) => address.length === 16);
  return hasIpv6 ? Math.max(mtu, MIN_IPV6_MTU_BYTES) : mtu;
}
