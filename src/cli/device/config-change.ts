import type { ConfigDocument } from '../../control/config/config-document.js';
import type { PeerSection } from '../../control/config/peer-section.js';
import { formatIpAddress } from '../../control/ip-text.js';
import type { WgChange, WgPeerChange } from '../wg/wg-change.js';
import type { WgContext } from '../wg/wg-context.js';
import { resolve } from './checked-values.js';

/**
 * Adds the device settings of a checked file to a change. Ignores the keys of wg-quick, which configure the host.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION. The caller clears the keys that `change` holds by then.
 */
export async function addDocument(context: WgContext, document: ConfigDocument, change: WgChange): Promise<void> {
  const section = document.interfaceSection;
  const [privateKey, listenPort, fwmark] = [section?.privateKey, section?.listenPort, section?.fwMark];
  if (privateKey !== undefined) change.privateKey = privateKey;
  if (listenPort !== undefined) change.listenPort = listenPort;
  if (fwmark !== undefined) change.fwmark = fwmark;
  for (const peer of document.peers) await addPeerSection(context, peer, change);
}

/** Adds a peer of a checked file to a change. @throws {WireGuardError} ERR_NAME_RESOLUTION, as `addDocument`. */
export async function addPeerSection(context: WgContext, peer: PeerSection, change: WgChange): Promise<void> {
  const peerChange = readPeer(peer);
  change.peers.push(peerChange);
  const { endpoint } = peer;
  if (endpoint !== undefined) peerChange.endpoint = await resolve(context, endpoint);
}

function readPeer(peer: PeerSection): WgPeerChange {
  const { presharedKey, persistentKeepalive, allowedIps } = peer;
  return {
    publicKey: peer.publicKey!, // the file was checked: every peer has a public key
    isRemoval: false,
    ...(presharedKey === undefined ? {} : { presharedKey }),
    ...(persistentKeepalive === undefined ? {} : { persistentKeepaliveSeconds: persistentKeepalive }),
    replaceAllowedIps: !allowedIps.some(({ isIncremental }) => isIncremental),
    allowedIps: allowedIps.map(
      ({ isRemoval, address, prefixLength }) => `${isRemoval ? '-' : ''}${formatIpAddress(address)}/${prefixLength}`,
    ),
  };
}
