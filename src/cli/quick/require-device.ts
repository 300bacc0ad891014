import type { DeviceState } from '../../control/device-control.js';
import { WireGuardError } from '../../core/errors.js';
import { Link } from '../../host/net/link.js';
import type { QuickHost } from './quick-host.js';

/**
 * Reads the device behind an interface.
 *
 * @param options `withSecrets`: with its keys, which the caller wipes by `clearDevice`.
 * @throws {WireGuardError} ERR_NOT_WIREGUARD
 */
export async function requireDevice(
  host: QuickHost,
  interfaceName: string,
  options: { readonly withSecrets: boolean } = { withSecrets: false },
): Promise<DeviceState> {
  try {
    const device = await host.device(interfaceName).get();
    if (!options.withSecrets) clearDevice(device);
    return device;
  } catch (error) {
    if (!(error instanceof WireGuardError) || error.code !== 'ERR_CONTROL_UNREACHABLE') throw error;
    throw notWireGuard(interfaceName, error);
  }
}

/** Returns whether a daemon answers for the interface, wherever the interface is. */
export async function isAnswering(host: QuickHost, interfaceName: string): Promise<boolean> {
  try {
    await requireDevice(host, interfaceName);
    return true;
  } catch (error) {
    if (error instanceof WireGuardError && error.code === 'ERR_NOT_WIREGUARD') return false;
    throw error;
  }
}

/**
 * Requires the link in this network namespace, for work on addresses and routes.
 *
 * @throws {WireGuardError} ERR_OTHER_NAMESPACE if the interface of a device is not in this network namespace.
 */
export async function requireLink(host: QuickHost, interfaceName: string): Promise<void> {
  if (await new Link(host.commands, interfaceName).exists()) return;
  const namespace = await namespaceOf(host, interfaceName);
  const where = namespace === undefined ? 'another network namespace' : `the network namespace ${namespace}`;
  throw new WireGuardError('ERR_OTHER_NAMESPACE', `${interfaceName} is in ${where}`);
}

/** @returns The named namespace that has an interface of this name; `undefined` if none has, or several have. */
async function namespaceOf({ commands }: QuickHost, interfaceName: string): Promise<string | undefined> {
  const found: string[] = [];
  const { stdout } = await commands.ask(['ip', 'netns', 'list']);
  for (const line of stdout.split('\n')) {
    const name = line.split(' ')[0]!;
    const words = ['ip', '-netns', name, 'link', 'show', 'dev', interfaceName];
    if (name !== '' && (await commands.ask(words)).status === 0) found.push(name);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Wipes the keys of a device's copy. */
export function clearDevice(device: DeviceState): void {
  device.privateKey?.fill(0);
  for (const { presharedKey } of device.peers) presharedKey.fill(0);
}

/** Returns the error for an interface that is not WireGuard. */
export function notWireGuard(interfaceName: string, cause?: Error): WireGuardError {
  const options = cause === undefined ? {} : { cause };
  return new WireGuardError('ERR_NOT_WIREGUARD', `\`${interfaceName}' is not a WireGuard interface`, options);
}
