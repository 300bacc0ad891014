import type { AllowedIpChange, DeviceChange, IpPrefix, PeerChange } from '../../core/configuration.js';
import { formatIpPrefix, parseIpPrefix } from '../ip-text.js';
import type { ReportedDevice } from '../reported-device.js';

/** A peer's allowed IPs by their text. */
type Prefixes = Map<string, IpPrefix>;

export function hasAllowedIpRemovals(change: DeviceChange): boolean {
  return change.peers.some((peer) => !peer.isRemoval && peer.allowedIps.some(({ isRemoval }) => isRemoval));
}

/**
 * Rewrites a change for kernels that can only add allowed IPs or replace all of a peer's: a peer that loses some of them
 * gets the list of the rest. Both changes share the keys.
 */
export function withoutAllowedIpRemovals(change: DeviceChange, device: ReportedDevice): DeviceChange {
  const all = new Map(device.peers.map((peer) => [keyText(peer.publicKey), readPrefixes(peer.allowedIps)]));
  return { ...change, peers: change.peers.map((peer) => toExplicit(peer, all)) };
}

/** @param all The lists so far. Updated, since the change may name a peer more than once. */
function toExplicit(peer: PeerChange, all: Map<string, Prefixes>): PeerChange {
  const key = keyText(peer.publicKey);
  if (peer.isRemoval) {
    all.delete(key);
    return peer;
  }
  const prefixes: Prefixes = new Map(peer.replaceAllowedIps ? [] : all.get(key));
  for (const allowedIp of peer.allowedIps) {
    const prefix = withoutHostBits(allowedIp);
    if (allowedIp.isRemoval) prefixes.delete(formatIpPrefix(prefix));
    else prefixes.set(formatIpPrefix(prefix), prefix);
  }
  all.set(key, prefixes);
  if (!peer.allowedIps.some(({ isRemoval }) => isRemoval)) return peer;
  const allowedIps = [...prefixes.values()].map((prefix): AllowedIpChange => ({ ...prefix, isRemoval: false }));
  return { ...peer, replaceAllowedIps: true, allowedIps };
}

function readPrefixes(texts: readonly string[]): Prefixes {
  return new Map(texts.map((text) => [text, parseIpPrefix(text)!])); // texts that we wrote ourselves
}

function withoutHostBits({ address, prefixLength }: IpPrefix): IpPrefix {
  const masked = address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixLength - 8 * i))));
  return { address: masked, prefixLength };
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
