import { clearChange, readDeviceChange, readEndpoints } from '../../control/config/device-change.js';
import type { ConfigDocument } from '../../control/config/index.js';
import { type NameOptions, resolutionRetries } from '../../control/endpoint-names.js';
import { formatEndpoint } from '../../control/endpoint-text.js';
import { formatKey } from '../../control/key-text.js';
import { SystemZoneNames } from '../../control/zone-names.js';
import type { DeviceChange } from '../../core/configuration.js';
import { WireGuardError } from '../../core/errors.js';
import type { TunnelRecord } from '../../host/net/recorded-tunnel.js';
import type { Endpoint } from '../../wire/endpoint.js';
import { systemMessage } from '../wg/system-errors.js';
import type { QuickConfig } from './quick-config.js';
import type { QuickHost } from './quick-host.js';
import { hasName } from './reresolve.js';

const EADDRINUSE = 98;

/**
 * Configures a new device from its file, with names of endpoints resolved.
 *
 * @throws {WireGuardError} ERR_NAME_RESOLUTION, ERR_PORT_IN_USE, ERR_CONTROL_REFUSED, ERR_INTERRUPTED
 */
export async function addConfiguration(host: QuickHost, config: QuickConfig, record: TunnelRecord): Promise<void> {
  const { document, interfaceName } = config;
  host.commands.echo(['wg', 'addconf', interfaceName, '/dev/stdin']);
  const change = await readDeviceChange(document, nameOptions(host));
  record.lookedUp = readLookups(document, change.peers);
  await applyChange(host, interfaceName, change);
  record.endpoints = readEndpoints(document);
  host.records.write(interfaceName, record);
}

/** Returns the current endpoints of peers whose endpoint is a name in the file, by public key. */
export function readLookups(
  document: ConfigDocument,
  peers: Iterable<{ readonly publicKey: Uint8Array; readonly endpoint?: Endpoint | undefined }>,
): Record<string, string> {
  const zones = new SystemZoneNames();
  const named = new Set(document.peers.filter(hasName).map(({ publicKeyText }) => publicKeyText));
  const lookedUp: Record<string, string> = {};
  for (const { publicKey, endpoint } of peers) {
    const key = formatKey(publicKey);
    if (endpoint !== undefined && named.has(key)) lookedUp[key] = formatEndpoint(endpoint, zones);
  }
  return lookedUp;
}

/** Applies a change, and wipes its keys even if that fails. */
export async function applyChange(host: QuickHost, interfaceName: string, change: DeviceChange): Promise<void> {
  try {
    await host.device(interfaceName).set(change);
  } catch (error) {
    throw explainRefusal(error, interfaceName, change.listenPort);
  } finally {
    clearChange(change);
  }
}

/** Returns the options by which names are looked up for this user. */
export function nameOptions(host: QuickHost): NameOptions {
  return {
    retries: resolutionRetries(process.env),
    interruption: host.interruption,
    warn: (text) => host.commands.warn(text),
  };
}

function explainRefusal(error: unknown, interfaceName: string, listenPort: number | undefined): unknown {
  if (!(error instanceof WireGuardError) || typeof error.cause !== 'number') return error;
  if (error.cause === EADDRINUSE) {
    const port = listenPort === undefined ? 'its port' : `port ${listenPort}`;
    return new WireGuardError('ERR_PORT_IN_USE', `${interfaceName}: ${port} is in use`, { cause: error });
  }
  if (error.code === 'ERR_KERNEL_REFUSED') return error;
  const message = `${interfaceName}: the daemon refuses the configuration: ${systemMessage(error.cause)}`;
  return new WireGuardError('ERR_CONTROL_REFUSED', message, { cause: error });
}
