import { type ConfigDocument, formatConfigEndpoint, type PeerSection } from '../../control/config/index.js';
import type { PeerState } from '../../control/device-control.js';
import { isHostName, type NameOptions, resolveName, toEndpoint } from '../../control/endpoint-names.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatIpAddress } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { Endpoint } from '../../wire/endpoint.js';

/** An active peer makes a handshake every 120 s; 15 s later, a peer without one is gone or has moved. */
export const SILENCE_MS = 135_000;

/** The parts of a device that the search needs, through the control socket or inside the daemon. */
export interface EndpointDevice {
  peers(): Promise<Iterable<PeerState>>;
  apply(change: DeviceChange): Promise<void>;
}

/** The inputs of the search for new addresses. */
export interface ReresolveOptions {
  readonly names: NameOptions;
  /** The wall clock, which stamps handshakes. */
  readonly unixTimeMs: number;
  /** Tests whether somebody is trying to reach a silent peer; other silent peers are skipped. */
  readonly isWanted?: (publicKey: string, peer: PeerState) => boolean;
}

/** A peer that was found at a new address. */
export interface PeerMove {
  readonly publicKey: Uint8Array;
  /** The endpoint as the file writes it: a name and a port. */
  readonly endpoint: string;
  /** `undefined`: the peer had no endpoint. */
  readonly from: string | undefined;
  readonly to: string;
}

/**
 * Looks up the names of the file's endpoints again, for peers that have been silent for 135 s, and gives the device
 * their new addresses. An address that the name still has is kept.
 *
 * @returns The peers that were changed.
 */
export async function reresolve(
  document: ConfigDocument,
  device: EndpointDevice,
  options: ReresolveOptions,
): Promise<PeerMove[]> {
  const named = document.peers.filter(hasName);
  if (named.length === 0) return [];

  const moves: PeerMove[] = [];
  const live = silentPeers(await device.peers(), options);
  for (const section of named) {
    const peer = live.get(section.publicKeyText);
    if (peer === undefined) continue;
    const endpoint = await movedTo(section, peer, options.names);
    if (endpoint === undefined) continue;
    moves.push(describeMove(section, peer, endpoint));
    await device.apply(endpointChange(peer.publicKey, endpoint));
  }
  return moves;
}

/** Tests whether a section has a name as its endpoint; an unreadable one is no reason to stop. */
export function hasName(section: PeerSection): boolean {
  try {
    return section.endpoint !== undefined && isHostName(section.endpoint);
  } catch (error) {
    if (error instanceof WireGuardError) return false;
    throw error;
  }
}

function silentPeers(peers: Iterable<PeerState>, { unixTimeMs, isWanted }: ReresolveOptions): Map<string, PeerState> {
  const silent = new Map<string, PeerState>();
  for (const peer of peers) {
    const publicKey = formatKey(peer.publicKey);
    const isSilent = unixTimeMs - peer.lastHandshakeUnixMs >= SILENCE_MS;
    if (isSilent && isWanted?.(publicKey, peer) !== false) silent.set(publicKey, peer);
  }
  return silent;
}

/** @returns The new address of the peer; `undefined` if it has not moved, or the lookup fails. */
async function movedTo(section: PeerSection, peer: PeerState, names: NameOptions): Promise<Endpoint | undefined> {
  const { host, port } = section.endpoint!;
  try {
    const addresses = (await resolveName(host, { ...names, retries: 0 })).map(({ address }) => address);
    const current = peer.endpoint;
    if (current?.port === port && addresses.includes(formatIpAddress(current.address))) return undefined;
    return toEndpoint(addresses[0]!, port);
  } catch (error) {
    if (!(error instanceof WireGuardError) || error.code !== 'ERR_NAME_RESOLUTION') throw error;
    names.warn(error.message);
    return undefined;
  }
}

function endpointChange(publicKey: Uint8Array, endpoint: Endpoint): DeviceChange {
  const peer = { publicKey, isRemoval: false, isUpdateOnly: true, endpoint, replaceAllowedIps: false, allowedIps: [] };
  return { replacePeers: false, peers: [peer] };
}

function describeMove(section: PeerSection, { publicKey, endpoint: before }: PeerState, after: Endpoint): PeerMove {
  const zones = new SystemZoneNames();
  return {
    publicKey,
    endpoint: formatConfigEndpoint(section.endpoint!),
    from: before && formatEndpoint(before, zones),
    to: formatEndpoint(after, zones),
  };
}
