import type { DeviceChange, PeerChange } from '../../core/configuration.js';
import { type NameOptions, resolveEndpoint } from '../endpoint-names.js';
import type { ConfigDocument } from './config-document.js';
import type { PeerSection } from './peer-section.js';
import { formatConfigEndpoint } from './peer-values.js';

/**
 * Turns a checked file into a change that adds its configuration: names of endpoints become addresses.
 *
 * @returns A change that the caller wipes by `clearChange`.
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_INTERRUPTED
 */
export async function readDeviceChange(document: ConfigDocument, names: NameOptions): Promise<DeviceChange> {
  const peers: PeerChange[] = [];
  for (const peer of document.peers) {
    const { endpoint } = peer;
    const change = readPeerChange(peer);
    peers.push(endpoint === undefined ? change : { ...change, endpoint: await resolveEndpoint(endpoint, names) });
  }
  const section = document.interfaceSection;
  const [privateKey, listenPort, fwmark] = [section?.privateKey, section?.listenPort, section?.fwMark];
  return {
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(listenPort === undefined ? {} : { listenPort }),
    ...(fwmark === undefined ? {} : { fwmark }),
    replacePeers: false,
    peers,
  };
}

/** Reads the configuration of a peer, except the endpoint. The caller wipes the preshared key. */
export function readPeerChange(peer: PeerSection): PeerChange {
  const { presharedKey, persistentKeepalive, allowedIps } = peer;
  return {
    publicKey: peer.publicKey!, // the file was checked: every peer has one
    isRemoval: false,
    isUpdateOnly: false,
    ...(presharedKey === undefined ? {} : { presharedKey }),
    ...(persistentKeepalive === undefined ? {} : { persistentKeepaliveSeconds: persistentKeepalive }),
    replaceAllowedIps: !allowedIps.some(({ isIncremental }) => isIncremental),
    allowedIps,
  };
}

/** Reads the endpoints as they are written, by public key. */
export function readEndpoints(document: ConfigDocument): Record<string, string> {
  const endpoints: Record<string, string> = {};
  for (const { publicKeyText, endpoint } of document.peers) {
    if (endpoint !== undefined) endpoints[publicKeyText] = formatConfigEndpoint(endpoint);
  }
  return endpoints;
}

/** Wipes the keys of a change. */
export function clearChange(change: DeviceChange): void {
  change.privateKey?.fill(0);
  for (const { presharedKey } of change.peers) presharedKey?.fill(0);
}
