import { networkInterfaces } from 'node:os';

import { formatIpAddress, parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import { covers } from '../../policy/prefix.js';
import { Endpoint } from '../../wire/endpoint.js';
import type { CandidateText } from '../map/messages.js';
import { isPrivate, isProbeable } from '../paths/candidate.js';
import type { MappedAddress } from '../probes/stun-message.js';

const MAX_LOCAL = 12;

export interface LocalCandidateFacts {
  /** UDP port of the socket. */
  readonly port: number;
  /** Ranges of the network itself, whose addresses lead into the tunnel. */
  readonly subnets: readonly string[];
  /** Public address as the hub sees it. */
  readonly mapped: MappedAddress | undefined;
  /** The address and port that the router has opened. */
  readonly portMapping?: MappedAddress | undefined;
  /** Default: those of this host. */
  readonly addresses?: readonly string[];
}

/** Lists where this host might be reached, besides the address that the hub sees. */
export function localCandidates(facts: LocalCandidateFacts): CandidateText[] {
  const { port, subnets, mapped, portMapping, addresses = hostAddresses() } = facts;
  const inner = subnets.map((subnet) => parseIpPrefix(subnet)!);
  const own = addresses
    .map((text) => Endpoint.from(parseIpAddress(text)!, port))
    .filter((endpoint) => isProbeable(endpoint) && !inner.some((subnet) => covers(subnet, endpoint.address)));
  const local = own.slice(0, MAX_LOCAL).map((endpoint): CandidateText => {
    const isGlobal6 = endpoint.family === 6 && !isPrivate(endpoint);
    return { address: text(endpoint.address, port), kind: isGlobal6 ? 'ipv6' : 'lan' };
  });
  const opened: CandidateText[] = portMapping === undefined ? [] : [{ address: textOf(portMapping), kind: 'mapped' }];
  // An administrator may have forwarded the port by hand.
  const forwarded: CandidateText[] =
    mapped === undefined || mapped.port === port ? [] : [{ address: text(mapped.address, port), kind: 'forwarded' }];
  return [...local, ...opened, ...forwarded];
}

function hostAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
}

function textOf({ address, port }: MappedAddress): string {
  return text(address, port);
}

function text(address: Uint8Array, port: number): string {
  return address.length === 4 ? `${formatIpAddress(address)}:${port}` : `[${formatIpAddress(address)}]:${port}`;
}
