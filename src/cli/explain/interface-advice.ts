import type { DropCounts } from '../../control/uapi-explain-text.js';
import type { Commands } from '../../host/net/commands.js';
import type { Advice } from './advice.js';
import { findDroppingChain } from './input-filter.js';

/** Handshakes carry the time; a clock that starts at zero after each boot repeats itself. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2024);

/** A host sends some packets to all neighbours when a link comes up (RFC 4861 §6.3.7, RFC 3810); no peer owns those. */
const MULTICAST_PACKETS = 20;

/** Facts about an interface, for advice on all its peers. */
export interface InterfaceFacts {
  readonly name: string;
  /** `null`: the interface is in another network namespace. */
  readonly isUp: boolean | null;
  readonly hasPrivateKey: boolean;
  /** 0: none. */
  readonly listenPort: number;
  /** Every peer has a session. */
  readonly isSound: boolean;
  readonly drops: DropCounts;
  readonly unixTimeMs: number;
}

/** Finds problems that cut off all peers of an interface. */
export async function adviseInterface(commands: Commands, facts: InterfaceFacts): Promise<Advice[]> {
  const { name } = facts;
  const advice: Advice[] = [];
  if (facts.isUp === false) advice.push({ problem: 'The link is down.', nextStep: `ip link set ${name} up` });
  if (facts.isUp === null) {
    const problem = 'The interface is in another network namespace: its addresses and routes cannot be seen from here.';
    advice.push({ problem, nextStep: `ip netns exec NAMESPACE ip address show ${name}` });
  }
  if (!facts.hasPrivateKey) {
    const nextStep = `wiretype set ${name} private-key FILE`;
    advice.push({ problem: 'The interface has no private key.', nextStep });
  }
  if (facts.unixTimeMs < EARLIEST_PLAUSIBLE_MS) {
    advice.push({
      problem: `The clock of this host shows ${new Date(facts.unixTimeMs).toISOString().slice(0, 10)}: peers refuse handshakes that are older than the last one.`,
      nextStep: 'Set the clock before the tunnel comes up (timedatectl, chrony, ntpd).',
    });
  }
  if (facts.isUp !== false && !facts.isSound && facts.listenPort !== 0)
    advice.push(...(await adviseFilter(commands, facts)));
  return [...advice, ...adviseDrops(facts)];
}

async function adviseFilter(commands: Commands, { listenPort }: InterfaceFacts): Promise<Advice[]> {
  const chain = await findDroppingChain(commands, listenPort);
  if (chain === undefined) return [];
  const place = `${chain.family} ${chain.table} ${chain.name}`;
  return [
    {
      problem: `The packet filter of this host (${place}) drops packets by default, and no rule lets UDP port ${listenPort} in: peers cannot start a handshake.`,
      nextStep: `nft insert rule ${place} udp dport ${listenPort} accept`,
    },
  ];
}

function adviseDrops({ name, drops }: InterfaceFacts): Advice[] {
  const advice: Advice[] = [];
  const withoutPeer = drops.get('no_peer') ?? 0;
  if (withoutPeer > MULTICAST_PACKETS) {
    advice.push({
      problem: `${count(withoutPeer)} for ${name} had a destination that no peer has among its allowed IPs.`,
      nextStep: "Add the destination to a peer's AllowedIPs, or route it elsewhere.",
    });
  }
  const looped = drops.get('routing_loop') ?? 0;
  if (looped > 0) {
    advice.push({
      problem: `${looped} of the tunnel's own datagrams came back to it: an endpoint is routed into the tunnel.`,
      nextStep: `Leave the endpoint out of AllowedIPs, then: wiretype reload ${name}`,
    });
  }
  return advice;
}

/** Writes a number of packets. */
export function count(packets: number): string {
  return packets === 1 ? '1 packet' : `${packets} packets`;
}
