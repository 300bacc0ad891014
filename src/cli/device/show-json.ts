import { formatKey } from '../../control/key-text.js';
import { publicKeyOf } from '../wg/key-pair.js';
import type { WgDevice, WgPeer } from '../wg/wg-device.js';
import type { PeerNames } from './peer-names.js';

/** A device as `wiretype show --json` writes it; `schema/show.json` describes it. */
export interface ShownDevice {
  readonly name: string;
  readonly publicKey: string | null;
  readonly privateKey?: string | null;
  readonly listenPort: number | null;
  readonly fwMark: number | null;
  readonly peers: readonly ShownPeer[];
}

export interface ShownPeer {
  /** The name in a comment of the interface's file. */
  readonly name: string | null;
  readonly publicKey: string;
  readonly hasPresharedKey: boolean;
  readonly presharedKey?: string | null;
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  /** ISO 8601, UTC. */
  readonly latestHandshake: string | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly persistentKeepaliveSeconds: number | null;
}

const MAX_DATE_SECONDS = 8_640_000_000_000n;

/** @param showsKeys Adds private and preshared keys. */
export function toShownDevice(device: WgDevice, showsKeys: boolean, names: PeerNames): ShownDevice {
  const { name, privateKey, listenPort, fwmark, peers } = device;
  return {
    name,
    publicKey: privateKey === undefined ? null : formatKey(publicKeyOf(privateKey)),
    ...(showsKeys ? { privateKey: privateKey === undefined ? null : formatKey(privateKey) } : {}),
    listenPort: listenPort || null,
    fwMark: fwmark || null,
    peers: peers.map((peer) => toShownPeer(peer, showsKeys, names)),
  };
}

/** Returns the time of a handshake; `null` if there was none, or if its clock cannot be right. */
export function handshakeTime({ lastHandshakeSeconds }: WgPeer): Date | null {
  if (lastHandshakeSeconds === 0n || lastHandshakeSeconds > MAX_DATE_SECONDS) return null;
  return new Date(Number(lastHandshakeSeconds) * 1_000);
}

/** @param showsKeys Adds the preshared key. */
export function toShownPeer(peer: WgPeer, showsKeys: boolean, names: PeerNames): ShownPeer {
  const { presharedKey } = peer;
  const publicKey = formatKey(peer.publicKey);
  return {
    name: names.get(publicKey) ?? null,
    publicKey,
    hasPresharedKey: presharedKey !== undefined,
    ...(showsKeys ? { presharedKey: presharedKey === undefined ? null : formatKey(presharedKey) } : {}),
    endpoint: peer.endpoint ?? null,
    allowedIps: peer.allowedIps,
    latestHandshake: handshakeTime(peer)?.toISOString() ?? null,
    rxBytes: Number(peer.rxBytes),
    txBytes: Number(peer.txBytes),
    persistentKeepaliveSeconds: peer.persistentKeepaliveSeconds || null,
  };
}
