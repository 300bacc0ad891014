import { existsSync, readdirSync, readFileSync } from 'node:fs';

import type { KernelWireguard } from '../control/netlink/kernel-wireguard.js';
import { WireGuardError } from '../core/errors.js';

const LINKS = '/sys/class/net';
const MODULES = '/sys/module';

let kernel: KernelWireguard | undefined;

/** Returns access to the WireGuard of this machine's kernel. @throws {WireGuardError} ERR_ADDON_MISSING */
export async function systemKernel(): Promise<KernelWireguard> {
  if (kernel !== undefined) return kernel;
  const { loadAddon, AddonMissingError } = await import('../addon/load.js');
  const { KernelNetlink } = await import('../host/kernel-netlink.js');
  const { KernelWireguard } = await import('../control/netlink/kernel-wireguard.js');
  try {
    const addon = loadAddon();
    kernel = new KernelWireguard((protocol) => KernelNetlink.open(addon, protocol));
    return kernel;
  } catch (error) {
    if (!(error instanceof AddonMissingError)) throw error;
    const message = `Interfaces of the kernel's own WireGuard cannot be reached. ${error.message}`;
    throw new WireGuardError('ERR_ADDON_MISSING', message, { cause: error });
  }
}

/** Returns whether the kernel has WireGuard; where that cannot be seen, it may. */
export function mayHaveKernelWireguard(): boolean {
  return existsSync(`${MODULES}/wireguard`) || !existsSync(MODULES);
}

/** Returns whether an interface is the kernel's, as far as that can be seen without the addon. */
export function isKernelLink(name: string): boolean {
  if (!/^[^/]+$/.test(name) || name === '.' || name === '..') return false;
  const path = `${LINKS}/${name}/uevent`;
  return existsSync(path) && readFileSync(path, 'latin1').includes('DEVTYPE=wireguard\n');
}

/** Returns the names of the kernel's interfaces, as far as they can be seen without the addon. */
export function kernelLinks(): string[] {
  return existsSync(LINKS) ? readdirSync(LINKS).filter(isKernelLink) : [];
}
