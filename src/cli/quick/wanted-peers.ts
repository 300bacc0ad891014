import { readPeerChange } from '../../control/config/device-change.js';
import type { ConfigDocument, ConfigEndpoint, PeerSection } from '../../control/config/index.js';
import { formatIpPrefix } from '../../control/ip-text.js';
import { formatKey } from '../../control/key-text.js';
import type { IpPrefix } from '../../core/configuration.js';
import { isZeroKey, publicKeyOf } from '../wg/key-pair.js';
import { maskHostBits } from './mask-host-bits.js';

/** One peer of a new device once the file has been applied. */
export interface WantedPeer {
  readonly publicKey: Uint8Array;
  /** The caller wipes the key. */
  presharedKey: Uint8Array | undefined;
  /** 0: off. */
  persistentKeepaliveSeconds: number;
  endpoint: ConfigEndpoint | undefined;
  /** Keyed by the text of the prefixes, with host bits cleared. */
  readonly allowedIps: Map<string, IpPrefix>;
}

/**
 * Computes the peers that a device gets from a file: several sections for one key become one peer, and a prefix that
 * several peers claim goes to the last one.
 *
 * @param privateKey The device's own key: a device is no peer of itself.
 * @returns The peers by public key in base64, in the order of the file.
 */
export function wantedPeers(document: ConfigDocument, privateKey?: Uint8Array): Map<string, WantedPeer> {
  const peers = new Map<string, WantedPeer>();
  const owners = new Map<string, WantedPeer>();
  for (const section of document.peers) {
    const { publicKeyText } = section;
    const peer = peers.get(publicKeyText) ?? newPeer(section);
    peers.set(publicKeyText, peer);
    addSection(peer, section, owners);
  }
  if (privateKey !== undefined && !isZeroKey(privateKey)) peers.delete(formatKey(publicKeyOf(privateKey)));
  return peers;
}

function addSection(peer: WantedPeer, section: PeerSection, owners: Map<string, WantedPeer>): void {
  const change = readPeerChange(section);
  if (change.presharedKey !== undefined) {
    peer.presharedKey?.fill(0);
    peer.presharedKey = change.presharedKey;
  }
  peer.persistentKeepaliveSeconds = change.persistentKeepaliveSeconds ?? peer.persistentKeepaliveSeconds;
  peer.endpoint = section.endpoint ?? peer.endpoint;
  if (change.replaceAllowedIps) {
    for (const text of peer.allowedIps.keys()) owners.delete(text);
    peer.allowedIps.clear();
  }
  for (const allowedIp of change.allowedIps) {
    const prefix = maskHostBits(allowedIp);
    const text = formatIpPrefix(prefix);
    if (!allowedIp.isRemoval) {
      owners.get(text)?.allowedIps.delete(text);
      owners.set(text, peer);
      peer.allowedIps.set(text, prefix);
    } else if (peer.allowedIps.delete(text)) {
      owners.delete(text);
    }
  }
}

function newPeer({ publicKey }: PeerSection): WantedPeer {
  return {
    publicKey: publicKey!, // the file was checked: every peer has a public key
    presharedKey: undefined,
    persistentKeepaliveSeconds: 0,
    endpoint: undefined,
    allowedIps: new Map(),
  };
}
