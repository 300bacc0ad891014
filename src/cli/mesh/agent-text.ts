import type { AgentEvent } from '../../mesh/agent/agent-options.js';
import type { AgentPeerStatus, AgentStatus } from '../../mesh/agent/agent-status.js';
import { formatTextTable } from '../device/text-table.js';
import { exitText } from './exit-notice.js';

const DAY_MS = 86_400_000;
const HUB_WAYS = {
  udp: 'by UDP',
  carried: 'in a WebSocket',
  none: 'until now, but UDP is not answered and there is no WebSocket',
} as const;

const UNKNOWN_KEY =
  'the hub is there, but does not know the key of this node: it was removed, or its state folder is a copy from before its last change of key; remove the folder and join again';

/** Shows the state of an agent on a terminal. */
export function statusText(status: AgentStatus, nowUnixMs: number): string {
  const { name, network, addresses, hub, exit, mapping, publicAddress, peers, isWaiting } = status;
  const round = hub.rttMs === undefined ? '' : `, ${hub.rttMs} ms`;
  const lines = [
    `${name} in ${network}: ${addresses.join(', ')}`,
    `hub ${hub.endpoint}: ${hub.isConnected ? `connected ${HUB_WAYS[hub.way]}${round}` : 'not connected; what stands goes on without it'}`,
    `NAT: ${mappingText(mapping)}${publicAddress === undefined ? '' : `; seen as ${publicAddress}`}`,
    ...(exit === undefined ? [] : [exitText(exit)]),
    ...(isWaiting ? ['This node waits for the signature of the administrator: wiretype mesh sign'] : []),
    ...warnings(status),
    '',
  ];
  if (peers.length === 0) return [...lines, 'No other nodes.', ''].join('\n');
  const columns = [
    { title: 'node', cells: peers.map((peer) => peer.name) },
    { title: 'address', cells: peers.map((peer) => peer.addresses[0] ?? '') },
    { title: 'last handshake', cells: peers.map((peer) => seenText(peer, nowUnixMs)) },
    { title: 'path', cells: peers.map(pathText) },
  ];
  return [...lines, ...formatTextTable(columns, undefined, []), ''].join('\n');
}

/** Says what happened, in a line. @returns `undefined`: nothing that people want to read. */
export function eventText(event: AgentEvent): string | undefined {
  switch (event.kind) {
    case 'hub':
      return event.isConnected ? 'connected to the hub' : 'the hub is away; what stands goes on without it';
    case 'unknown-key':
      return UNKNOWN_KEY;
    case 'refused':
      return refusedText(event.record);
    case 'revoked':
      return event.reason;
    case 'clock':
      return event.errorMs === 0 ? 'the clock of this host is right again' : clockText(event.errorMs);
    case 'map':
    case 'path':
      return undefined;
  }
}

function warnings({ mode, hub, clockErrorMs, refused }: AgentStatus): string[] {
  const locked = '; records are refused by it, until it is set';
  return [
    ...(hub.isKeyUnknown === true ? [UNKNOWN_KEY] : []),
    ...(clockErrorMs === undefined ? [] : [`${clockText(clockErrorMs)}${mode === 'locked' ? locked : ''}`]),
    ...refused.map(refusedText),
  ];
}

function clockText(errorMs: number): string {
  const days = Math.round(Math.abs(errorMs) / DAY_MS);
  return `the clock of this host is ${days} days ${errorMs > 0 ? 'behind' : 'ahead of'} the hub's`;
}

function refusedText({ name, problem }: { readonly name: string; readonly problem: string }): string {
  return `refused the record of ${name} (${problem}); the last good one stays`;
}

function mappingText(mapping: AgentStatus['mapping']): string {
  if (mapping === 'easy') return 'one port for all destinations (easy)';
  return mapping === 'hard' ? 'another port for each destination (hard)' : 'not known yet';
}

function pathText({ path, endpoint, rttMs, why }: AgentPeerStatus): string {
  const round = rttMs === undefined ? '' : `, ${rttMs} ms`;
  if (path === 'direct') return `direct to ${endpoint}${round}`;
  return `${path === 'carried' ? 'carried' : 'relay'}${why === undefined ? '' : ` (${why})`}`;
}

function seenText({ lastHandshakeUnixMs }: AgentPeerStatus, nowUnixMs: number): string {
  if (lastHandshakeUnixMs === undefined) return 'never';
  const seconds = Math.max(0, Math.round((nowUnixMs - lastHandshakeUnixMs) / 1_000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
