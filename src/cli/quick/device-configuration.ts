import { type ConfigDocument, formatConfigEndpoint, type PeerSection } from '../../control/config/index.js';
import type { DeviceChange, PeerChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { TunnelRecord } from '../../host/net/tunnel-record.js';
import { systemMessage } from '../wg/system-errors.js';
import { type NameOptions, resolutionRetries, resolveEndpoint } from './endpoint-names.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';

const EADDRINUSE = 98;

/**
 * Gives a new device what its file says: names of endpoints become addresses.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_PORT_IN_USE, ERR_CONTROL_REFUSED, ERR_INTERRUPTED
 */
export async function addConfiguration(host: QuickHost, config: QuickConfig, record: TunnelRecord): Promise<void> {
  const { document, interfaceName } = config;
  host.commands.echo(['wg', 'addconf', interfaceName, '/dev/stdin']);
  const change = await readDeviceChange(document, nameOptions(host));
  await applyChange(host, interfaceName, change);
  record.endpoints = readEndpoints(document);
  host.records.write(interfaceName, record);
}

/** Applies a change and wipes the keys in it, whatever comes of it. */
export async function applyChange(host: QuickHost, interfaceName: string, change: DeviceChange): Promise<void> {
  try {
    await host.device(interfaceName).set(change);
  } catch (error) {
    throw explainRefusal(error, interfaceName, change.listenPort);
  } finally {
    clearChange(change);
  }
}

/** How names are looked up for this user. */
export function nameOptions(host: QuickHost): NameOptions {
  return {
    retries: resolutionRetries(process.env),
    interruption: host.interruption,
    warn: (text) => host.commands.warn(text),
  };
}

/** The endpoints as the file has them, by public key. */
export function readEndpoints(document: ConfigDocument): Record<string, string> {
  const endpoints: Record<string, string> = {};
  for (const { publicKeyText, endpoint } of document.peers) {
    if (endpoint !== undefined) endpoints[publicKeyText] = formatConfigEndpoint(endpoint);
  }
  return endpoints;
}

/** What a file says about a peer, but for its endpoint. The caller wipes the preshared key. */
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

export function clearChange(change: DeviceChange): void {
  change.privateKey?.fill(0);
  for (const { presharedKey } of change.peers) presharedKey?.fill(0);
}

/** Turns a file into a change that adds what it says. The caller wipes its keys. */
async function readDeviceChange(document: ConfigDocument, names: NameOptions): Promise<DeviceChange> {
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

function explainRefusal(error: unknown, interfaceName: string, listenPort: number | undefined): unknown {
  if (!(error instanceof WireGuardError) || typeof error.cause !== 'number') return error;
  if (error.cause === EADDRINUSE) {
    const port = listenPort === undefined ? 'its port' : `port ${listenPort}`;
    return new WireGuardError('ERR_PORT_IN_USE', `${interfaceName}: ${port} is in use`, { cause: error });
  }
  const message = `${interfaceName}: the daemon refuses the configuration: ${systemMessage(error.cause)}`;
  return new WireGuardError('ERR_CONTROL_REFUSED', message, { cause: error });
}
