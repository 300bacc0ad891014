import { statSync } from 'node:fs';

import type { DeviceClient } from '../control/device-client.js';
import type { DeviceState } from '../control/device-control.js';
import { KernelClient } from '../control/netlink/kernel-client.js';
import { UapiClient } from '../control/uapi-client.js';
import type { ReceivedExplanation } from '../control/uapi-explain-text.js';
import { uapiSocketPath } from '../control/uapi-socket-file.js';
import type { DeviceChange } from '../core/configuration.js';
import { WireGuardError } from '../core/errors.js';
import { isKernelLink, systemKernel } from './system-kernel.js';

/** An interface of this machine: the daemon's if one answers at its control socket, else the kernel's. */
export class SystemDevice implements DeviceClient {
  readonly #name: string;
  readonly #socketPath: string;
  #isKernels = false;

  constructor(name: string, socketPath = uapiSocketPath(name)) {
    this.#name = name;
    this.#socketPath = socketPath;
  }

  get(): Promise<DeviceState> {
    return this.#with((client) => client.get());
  }

  set(change: DeviceChange): Promise<void> {
    return this.#with((client) => client.set(change));
  }

  explain(): Promise<ReceivedExplanation | undefined> {
    return this.#with((client) => client.explain());
  }

  /** Returns whether no daemon answered the last call, so that the kernel did. */
  get isKernels(): boolean {
    return this.#isKernels;
  }

  async #with<T>(work: (client: DeviceClient) => Promise<T>): Promise<T> {
    this.#isKernels = false;
    if (isSocket(this.#socketPath)) {
      try {
        return await work(new UapiClient(this.#socketPath));
      } catch (error) {
        if (!isDeadSocket(error)) throw error;
      }
    }
    const kernel = await this.#kernel();
    this.#isKernels = true;
    return await work(new KernelClient(kernel, this.#name));
  }

  async #kernel() {
    try {
      return await systemKernel();
    } catch (error) {
      if (isKernelLink(this.#name)) throw error;
      throw new WireGuardError('ERR_CONTROL_UNREACHABLE', `${this.#name}: no daemon answers for this interface`, {
        cause: error,
      });
    }
  }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Tests whether nothing listens at a socket any more. */
function isDeadSocket(error: unknown): boolean {
  if (!(error instanceof WireGuardError) || !(error.cause instanceof Error) || !('code' in error.cause)) return false;
  return error.cause.code === 'ECONNREFUSED' || error.cause.code === 'ENOENT';
}
