import type { ReportedDevice, ReportedPeer } from '../../control/reported-device.js';

/** The state of a device, as `wg` shows it: exact numbers, addresses as the C library writes them. */
export interface WgDevice extends ReportedDevice {
  readonly name: string;
  /** The device is the kernel's own; no daemon counts drops for it. */
  readonly isKernels?: boolean;
}

export type WgPeer = ReportedPeer;

/** Wipes the secret keys. */
export function clearDevice(device: WgDevice): void {
  device.privateKey?.fill(0);
  for (const { presharedKey } of device.peers) presharedKey?.fill(0);
}
