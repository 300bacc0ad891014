import type { Addon } from '../../addon/interface.js';
import { AddonMissingError, loadAddon } from '../../addon/load.js';
import { WireGuardError } from '../../core/errors.js';
import { NativeAead } from '../../crypto/native-aead.js';
import { nativeCrypto } from '../../crypto/native-crypto.js';
import { LinuxTun } from '../../host/linux-tun.js';
import { NativeSocket } from '../../host/native-socket.js';
import { SystemClock } from '../../host/system-clock.js';
import { Tunnel } from '../../host/tunnel.js';
import type { Log } from './log.js';
import type { DaemonOptions } from './options.js';

/** Loads the addon, whose loader has an error type of its own. @throws {WireGuardError} ERR_ADDON_MISSING */
export function requireAddon(): Addon {
  try {
    return loadAddon();
  } catch (error) {
    if (!(error instanceof AddonMissingError)) throw error;
    throw new WireGuardError('ERR_ADDON_MISSING', error.message, { cause: error });
  }
}

/** Makes the interface, or takes over an open one. */
export function openTun(addon: Addon, { tunDescriptor, interfaceName, isOffloading }: DaemonOptions): LinuxTun {
  const options = { offload: isOffloading };
  if (tunDescriptor !== undefined) return LinuxTun.adopt(addon, tunDescriptor, options);
  return LinuxTun.open(addon, interfaceName, options);
}

/** Builds a tunnel from the parts of the addon. @throws {WireGuardError} The TUN is closed then. */
export async function openTunnel(addon: Addon, tun: LinuxTun, options: DaemonOptions, log: Log): Promise<Tunnel> {
  const offloads = { sendOffload: options.isOffloading, receiveOffload: options.isOffloading };
  return await Tunnel.create({
    crypto: nativeCrypto(addon),
    aead: new NativeAead(addon, options.cryptoThreads),
    clock: SystemClock.create(() => addon.bootTimeMs()),
    tun,
    openSocket: (port, mark) => {
      const socket = NativeSocket.open(addon, port, { mark, ...offloads });
      log.info(`listening on UDP port ${socket.port}`);
      return socket;
    },
  });
}
