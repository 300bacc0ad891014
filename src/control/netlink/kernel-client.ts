import type { DeviceChange } from '../../core/configuration.js';
import type { DeviceClient } from '../device-client.js';
import type { DeviceState } from '../device-control.js';
import { toDeviceState } from '../uapi-get-parser.js';
import { SystemZoneNames } from '../zone-names.js';
import type { KernelWireguard } from './kernel-wireguard.js';

/** One interface of the kernel's own WireGuard. */
export class KernelClient implements DeviceClient {
  readonly #kernel: KernelWireguard;
  readonly #name: string;

  constructor(kernel: KernelWireguard, name: string) {
    this.#kernel = kernel;
    this.#name = name;
  }

  async get(): Promise<DeviceState> {
    return toDeviceState(this.#kernel.get(this.#name), new SystemZoneNames());
  }

  async set(change: DeviceChange): Promise<void> {
    this.#kernel.set(this.#name, change);
  }

  /** The kernel counts no drops and gives no reasons. */
  async explain(): Promise<undefined> {
    return undefined;
  }
}
