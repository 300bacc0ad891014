import { closeSync } from 'node:fs';

import type { Addon } from '../addon/interface.js';

/** The kernel answers at once, unless other changes of the network are in progress. */
const TIMEOUT_MS = 30_000;

/** A netlink socket to the kernel, for synchronous requests. */
export class KernelNetlink {
  readonly #addon: Addon;
  readonly #descriptor: number;

  /** Opens a socket in the network namespace of the process. @returns −errno where the system refuses. */
  static open(addon: Addon, protocol: number): KernelNetlink | number {
    const descriptor = addon.netlinkOpen(protocol);
    return descriptor < 0 ? descriptor : new KernelNetlink(addon, descriptor);
  }

  private constructor(addon: Addon, descriptor: number) {
    this.#addon = addon;
    this.#descriptor = descriptor;
  }

  /** @returns 0 or −errno. */
  send(message: Uint8Array): number {
    return this.#addon.netlinkSend(this.#descriptor, message);
  }

  /** @returns The length of the next datagram, which is written to `into`, or −errno. */
  receive(into: Uint8Array): number {
    return this.#addon.netlinkReceive(this.#descriptor, into, TIMEOUT_MS);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
