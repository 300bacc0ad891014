import type { ConfigEndpoint } from '../../control/config/index.js';
import type { PeerState } from '../../control/device-control.js';
import { isHostName, type Lookup } from '../../control/endpoint-names.js';
import { formatIpAddress, formatIpPrefix } from '../../control/ip-text.js';
import type { DropCounts } from '../../control/uapi-explain-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import type { Commands } from '../../host/net/commands.js';
import { queryWays } from '../../host/net/ip-query.js';
import { maskHostBits } from '../quick/mask-host-bits.js';
import type { Advice } from './advice.js';
import { count } from './interface-advice.js';
import type { ProbeResult } from './port-probe.js';

/** The most routes to advise on: more would be a list, not advice. */
const MAX_ROUTES = 8;
/** Documentation addresses, which have no routes of their own, stand for a range of all addresses. */
const ANYWHERE = { 4: '192.0.2.1', 16: '2001:db8::1' } as const;

/** Access to the host's network and to the resolver. */
export interface Surroundings {
  readonly commands: Commands;
  readonly probe: (address: string, port: number) => Promise<ProbeResult>;
  readonly lookup: Lookup;
}

/** Facts about a peer. */
export interface PeerFacts {
  readonly interfaceName: string;
  /** `null`: the interface is in another network namespace. */
  readonly isUp: boolean | null;
  /** The mark of the interface's own datagrams; 0: none. */
  readonly mark: number;
  readonly peer: PeerState;
  readonly hasSession: boolean;
  readonly drops: DropCounts;
  /** The endpoint as the file writes it. */
  readonly written: ConfigEndpoint | undefined;
  readonly unixTimeMs: number;
}

/** Finds problems of this host that make a peer unreachable, or its packets miss the tunnel. */
export async function advisePeer(surroundings: Surroundings, facts: PeerFacts): Promise<Advice[]> {
  const advice: Advice[] = [];
  if (facts.peer.lastHandshakeUnixMs > facts.unixTimeMs) {
    const problem = 'The last handshake lies in the future: the clock of this host was set back.';
    advice.push({ problem, nextStep: 'Set the clock (timedatectl, chrony, ntpd): the peer refuses older handshakes.' });
  }
  if (facts.isUp !== false && !facts.hasSession) {
    advice.push(...(await adviseEndpoint(surroundings, facts)));
    advice.push(...(await adviseName(surroundings, facts)));
  }
  if (facts.isUp === true) advice.push(...(await adviseRoutes(surroundings, facts)));
  return [...advice, ...adviseDrops(facts)];
}

async function adviseEndpoint({ commands, probe }: Surroundings, facts: PeerFacts): Promise<Advice[]> {
  const { endpoint } = facts.peer;
  if (endpoint === undefined || endpoint.scopeId !== 0) return [];
  const address = formatIpAddress(endpoint.address);
  const [way] = await queryWays(commands, [address], facts.mark);
  if (way === undefined) {
    return [{ problem: `There is no route to ${address}.`, nextStep: `Look at the network: ip route get ${address}` }];
  }
  if (way.device === facts.interfaceName) {
    const problem = `The way to ${address} leads into the tunnel itself.`;
    return [
      { problem, nextStep: `Leave it out of AllowedIPs, or give it a route: ip route add ${address} via GATEWAY` },
    ];
  }
  // Without the mark a probe would enter a tunnel that takes all traffic.
  const [ofProbe] = facts.mark === 0 ? [way] : await queryWays(commands, [address], 0);
  return ofProbe?.device === way.device ? adviseProbe(address, endpoint.port, await probe(address, endpoint.port)) : [];
}

function adviseProbe(address: string, port: number, result: ProbeResult): Advice[] {
  switch (result) {
    case 'refused':
      return [
        {
          problem: `${address} answers that nothing listens on UDP port ${port}.`,
          nextStep:
            'Start WireGuard there, or correct the port of Endpoint: wiretype show prints the listening port there.',
        },
      ];
    case 'forbidden':
      return [
        {
          problem: `The packet filter of this host keeps datagrams to ${address} from leaving.`,
          nextStep: `Let UDP port ${port} out: nft list ruleset, or iptables-save, shows the rule.`,
        },
      ];
    case 'unreachable':
      return [
        {
          problem: `A router answers that ${address} cannot be reached.`,
          nextStep: `Check the address, and the network on the way: traceroute -n ${address}`,
        },
      ];
    case 'quiet':
      return [];
  }
}

/** Looks a name up again, which may resolve to another host by now. */
async function adviseName({ lookup }: Surroundings, { written, peer, interfaceName }: PeerFacts): Promise<Advice[]> {
  if (written === undefined || !isHostName(written)) return [];
  try {
    const addresses = (await lookup(written.host)).map(({ address }) => address);
    const current = peer.endpoint === undefined ? '' : formatIpAddress(peer.endpoint.address);
    if (addresses.includes(current)) return [];
    return [
      {
        problem: `${written.host} resolves to ${addresses.join(', ')}; the tunnel sends to ${current || 'nowhere'}.`,
        nextStep: `wiretype reresolve ${interfaceName}`,
      },
    ];
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const problem = `${written.host} cannot be looked up (${error.code}).`;
    return [{ problem, nextStep: 'Check the name, and the name servers in /etc/resolv.conf.' }];
  }
}

/** Finds allowed IPs that the system routes elsewhere. */
async function adviseRoutes({ commands }: Surroundings, { interfaceName, peer }: PeerFacts): Promise<Advice[]> {
  const allowedIps = [...peer.allowedIps];
  if (allowedIps.length === 0) {
    const problem = 'The peer has no allowed IPs: nothing is sent to it, and nothing is accepted from it.';
    return [{ problem, nextStep: 'Add AllowedIPs: the addresses of the other side.' }];
  }
  const advice: Advice[] = [];
  for (const prefix of allowedIps.slice(0, MAX_ROUTES)) {
    const [way] = await queryWays(commands, [addressIn(prefix)], 0);
    if (way?.device === interfaceName) continue;
    const where = way === undefined ? 'have no route' : `leave by ${way.device}, not by ${interfaceName}`;
    advice.push({
      problem: `Packets to ${formatIpPrefix(prefix)} ${where}.`,
      nextStep: `If they belong in the tunnel: ip route add ${formatIpPrefix(prefix)} dev ${interfaceName}, or wiretype reload ${interfaceName}`,
    });
  }
  return advice;
}

/** Returns an address that stands for the range: the first one after the network's own. */
function addressIn(prefix: IpPrefix): string {
  const { address } = maskHostBits(prefix);
  if (prefix.prefixLength === 0) return ANYWHERE[address.length as 4 | 16];
  if (prefix.prefixLength < 8 * address.length) address[address.length - 1]! |= 1;
  return formatIpAddress(address);
}

function adviseDrops({ drops }: PeerFacts): Advice[] {
  const disallowed = drops.get('disallowed_source') ?? 0;
  if (disallowed === 0) return [];
  return [
    {
      problem: `${count(disallowed)} from this peer were dropped: their source is not among its allowed IPs.`,
      nextStep: "Add the source to this peer's AllowedIPs, or correct Address on the other side.",
    },
  ];
}
