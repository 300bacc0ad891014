import type { KernelWireguard } from '../../control/netlink/kernel-wireguard.js';
import { WireGuardError } from '../../core/errors.js';
import { isKernelLink, kernelLinks, mayHaveKernelWireguard } from '../system-kernel.js';
import { SystemFailure, type WgContext } from './wg-context.js';

const MAX_NAME_BYTES = 15;

const ENODEV = 19;
const ENAMETOOLONG = 36;
const EPROTO = 71;
const EPROTONOSUPPORT = 93;
const ENOTSUP = 95;

/** Lists interfaces of the kernel's own. @throws {SystemFailure} */
export async function listKernelInterfaces(context: WgContext): Promise<string[]> {
  if (!mayHaveKernelWireguard()) return [];
  try {
    return (await context.kernel()).interfaces();
  } catch (error) {
    if (isAddonMissing(error)) return kernelLinks();
    throw toSystemFailure(error);
  }
}

/** Runs work on an interface that no daemon answers for. @throws {SystemFailure} */
export async function askKernel<T>(context: WgContext, name: string, work: (kernel: KernelWireguard) => T): Promise<T> {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new SystemFailure(ENAMETOOLONG, `"${name}" is too long`);
  try {
    return work(await context.kernel());
  } catch (error) {
    throw isAddonMissing(error) ? withoutAddon(context, name, error) : toSystemFailure(error);
  }
}

/** Returns the system's error for an interface, as far as that can be seen without the addon. */
function withoutAddon(context: WgContext, name: string, cause: WireGuardError): SystemFailure {
  if (isKernelLink(name)) {
    if (context.isStock) context.io.writeError(`${cause.message}\n`);
    return new SystemFailure(ENOTSUP, `${name} is an interface of the kernel's own`, { cause });
  }
  if (mayHaveKernelWireguard()) return new SystemFailure(ENODEV, `there is no interface ${name}`);
  return new SystemFailure(EPROTONOSUPPORT, `there is no daemon behind ${name}, and the kernel has no WireGuard`);
}

/** Converts an error into its number, which `wg` prints; the error itself, with its own words, is the cause. */
function toSystemFailure(error: unknown): unknown {
  if (!(error instanceof WireGuardError)) return error;
  const errno = typeof error.cause === 'number' ? error.cause : EPROTO;
  return new SystemFailure(errno, error.message, { cause: error });
}

function isAddonMissing(error: unknown): error is WireGuardError {
  return error instanceof WireGuardError && error.code === 'ERR_ADDON_MISSING';
}
