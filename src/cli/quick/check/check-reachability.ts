import type { ConfigDocument, ConfigEndpoint, ConfigLine, PeerSection } from '../../../control/config/index.js';
import { parseAllowedIps, parseEndpointValue } from '../../../control/config/peer-values.js';
import { formatIpPrefix, parseIpAddress } from '../../../control/ip-text.js';
import { maskHostBits } from '../mask-host-bits.js';
import { isPrivateAddress } from './address-scope.js';
import { interfaceEntries } from './check-addresses.js';
import type { CheckedHost } from './checked-host.js';
import type { Findings } from './finding.js';

const IPV4_BYTES = 4;

/** Finds peers that are unreachable, at once or after a while, and traffic that takes the wrong way. */
export function checkReachability(document: ConfigDocument, host: CheckedHost, findings: Findings): void {
  const routes = new RouteIndex(document);
  const listens = interfaceEntries(document, 'ListenPort').length > 0;
  for (const peer of document.peers) {
    const line = peer.section.lastEntry('Endpoint');
    const endpoint = line === undefined ? undefined : parseEndpointValue(line.value, () => {});
    if (endpoint !== undefined) {
      checkKeepalive(peer, endpoint, host, listens, findings);
      checkLoop(peer, endpoint, routes, findings);
    } else if (line === undefined && !listens) {
      findings.warn(
        peer.section.header,
        'this peer has no Endpoint, and the interface no ListenPort',
        'One of the two sides needs the address of the other: add Endpoint or ListenPort.',
      );
    }
    checkFamilies(peer, host, findings);
  }
}

/** Advises a keepalive behind NAT, which forgets the way back to a silent client within minutes. */
function checkKeepalive(
  peer: PeerSection,
  endpoint: ConfigEndpoint,
  host: CheckedHost,
  listens: boolean,
  findings: Findings,
): void {
  const keepalive = peer.section.lastEntry('PersistentKeepalive');
  const isOff = keepalive === undefined || /^(?:off|0+)$/i.test(keepalive.value);
  const address = parseIpAddress(endpoint.host);
  if (!isOff || listens || !host.isBehindNat || (address !== undefined && isPrivateAddress(address))) return;
  findings.warn(
    keepalive ?? peer.section.header,
    'this host is behind NAT: the peer cannot reach it once it has been silent for a while',
    'Add PersistentKeepalive = 25, if the peer must open connections to this host.',
  );
}

/** Finds endpoints inside the tunnel's own routes: their datagrams would loop. Default routes are safe from that. */
function checkLoop(peer: PeerSection, { host }: ConfigEndpoint, routes: RouteIndex, findings: Findings): void {
  const address = parseIpAddress(host);
  const around = address === undefined ? undefined : routes.lookup(address);
  if (around === undefined) return;
  findings.warn(
    peer.section.lastEntry('Endpoint')!,
    `the endpoint lies inside ${around.text} of line ${findings.numberOf(around.line)}`,
    'The tunnel would send its own datagrams into itself: leave the endpoint out of AllowedIPs.',
  );
}

/** Warns of a tunnel for all of IPv4 that leaves IPv6 outside, which is rarely meant. */
function checkFamilies(peer: PeerSection, { hasPublicIpv6 }: CheckedHost, findings: Findings): void {
  const lines = peer.section.entries('AllowedIPs');
  const ranges = lines.flatMap((line) => parseAllowedIps(line.value, () => {}) ?? []);
  const takesAll = (bytes: number) =>
    ranges.some(({ address, prefixLength }) => address.length === bytes && prefixLength === 0);
  if (!hasPublicIpv6 || !takesAll(IPV4_BYTES) || ranges.some(({ address }) => address.length > IPV4_BYTES)) return;
  findings.warn(
    lines.at(-1)!,
    'all IPv4 traffic goes into the tunnel, but this host also has IPv6, which does not',
    'Add ::/0 and an IPv6 Address, or IPv6 traffic leaves the host as before.',
  );
}

/** The allowed IPs that become routes of the main table, without default routes. */
class RouteIndex {
  readonly #routes = new Map<string, { readonly text: string; readonly line: ConfigLine }>();
  readonly #lengths = new Set<number>();

  constructor(document: ConfigDocument) {
    const table = interfaceEntries(document, 'Table').at(-1)?.value.toLowerCase() || 'auto';
    if (table !== 'auto') return;
    for (const line of document.peers.flatMap(({ section }) => section.entries('AllowedIPs'))) {
      for (const range of parseAllowedIps(line.value, () => {}) ?? []) {
        if (range.prefixLength === 0) continue;
        this.#lengths.add(range.prefixLength);
        this.#routes.set(formatIpPrefix(maskHostBits(range)), { text: range.text, line });
      }
    }
  }

  lookup(address: Uint8Array): { readonly text: string; readonly line: ConfigLine } | undefined {
    for (const prefixLength of this.#lengths) {
      if (prefixLength > 8 * address.length) continue;
      const found = this.#routes.get(formatIpPrefix(maskHostBits({ address, prefixLength })));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
