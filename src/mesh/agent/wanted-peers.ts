import { parseIpAddress, parseIpPrefix } from '../../control/ip-text.js';
import { parseKey } from '../../control/key-text.js';
import type { IpPrefix, PeerChange } from '../../core/configuration.js';
import type { HubInfo, MapEntry } from '../map/messages.js';

/** A peer as the map wants it. */
export interface WantedPeer {
  /** Id of the node, or `hub`. */
  readonly node: string;
  /** Base64. */
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
  /** Seconds; 0: none. */
  readonly keepalive: number;
}

export const HUB = 'hub';
const KEEPALIVE_SECONDS = 25;

export interface WantedPeersOptions {
  readonly hub: HubInfo;
  readonly mode: 'auto' | 'locked';
  readonly entries: Iterable<MapEntry>;
  /** Node that all other traffic goes out by. */
  readonly exitNode?: string | undefined;
  /** Public keys that nodes have changed to, with a session: by node. */
  readonly movedTo: ReadonlyMap<string, string>;
}

/**
 * Lists the peers of a map.
 *
 * In a locked network the hub gets its own addresses alone: it could stand in for a node that it keeps silent about, if other
 * addresses led to it. A next key is a peer without addresses, until its first session.
 */
export function wantedPeers({ hub, mode, entries, exitNode, movedTo }: WantedPeersOptions): WantedPeer[] {
  const own = hub.addresses.map(hostPrefix);
  const peers: WantedPeer[] = [
    {
      node: HUB,
      publicKey: hub.publicKey,
      allowedIps: mode === 'locked' ? own : [...own, ...hub.subnets],
      keepalive: KEEPALIVE_SECONDS,
    },
  ];
  for (const { record } of entries) {
    const { id, publicKey, next } = record;
    const allowedIps = [
      ...record.addresses.map(hostPrefix),
      ...record.routes.filter((route) => isUsed(route, id === exitNode)),
    ];
    const hasMoved = next !== undefined && movedTo.get(id) === next.publicKey;
    peers.push({ node: id, publicKey: hasMoved ? next.publicKey : publicKey, allowedIps, keepalive: 0 });
    if (next !== undefined && !hasMoved)
      peers.push({ node: id, publicKey: next.publicKey, allowedIps: [], keepalive: 0 });
  }
  return peers;
}

/** Returns the changes that make one list of peers of another. Peers that stay as they are keep their sessions. */
export function peerChanges(before: readonly WantedPeer[], after: readonly WantedPeer[]): PeerChange[] {
  const old = new Map(before.map((peer) => [peer.publicKey, peer]));
  const changes = after.filter((peer) => !isSame(old.get(peer.publicKey), peer)).map(addition);
  const kept = new Set(after.map(({ publicKey }) => publicKey));
  return [...before.filter(({ publicKey }) => !kept.has(publicKey)).map(removal), ...changes];
}

/** Everything else goes out by one node only. */
function isUsed(route: string, isExit: boolean): boolean {
  return isExit || parseIpPrefix(route)!.prefixLength > 0;
}

function isSame(a: WantedPeer | undefined, b: WantedPeer): boolean {
  return a !== undefined && a.keepalive === b.keepalive && a.allowedIps.join() === b.allowedIps.join();
}

function addition({ publicKey, allowedIps, keepalive }: WantedPeer): PeerChange {
  return {
    publicKey: parseKey(publicKey, 'public key'),
    isRemoval: false,
    isUpdateOnly: false,
    replaceAllowedIps: true,
    allowedIps: allowedIps.map((text) => ({ ...(parseIpPrefix(text) as IpPrefix), isRemoval: false })),
    persistentKeepaliveSeconds: keepalive,
  };
}

function removal({ publicKey }: WantedPeer): PeerChange {
  return {
    publicKey: parseKey(publicKey, 'public key'),
    isRemoval: true,
    isUpdateOnly: false,
    replaceAllowedIps: false,
    allowedIps: [],
  };
}

function hostPrefix(address: string): string {
  return `${address}/${8 * parseIpAddress(address)!.length}`;
}
