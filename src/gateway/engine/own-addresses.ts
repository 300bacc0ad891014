import type { Clock } from '../../host/clock.js';
import type { Policy } from '../../policy/policy.js';
import { hostAddresses } from './host-routes.js';

const EVERY_MS = 5_000;

/** Tells policy the addresses of this host, and again when they have changed: devices may not reach the host at any of them. */
export class OwnAddresses {
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #read: () => readonly Uint8Array[];
  #nextMs = -Infinity;
  #known = '';

  constructor(policy: Policy, clock: Clock, read: () => readonly Uint8Array[] = hostAddresses) {
    this.#policy = policy;
    this.#clock = clock;
    this.#read = read;
    this.check();
  }

  /** Called while packets come in: there is no timer. */
  check(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + EVERY_MS;
    const addresses = this.#read();
    const text = addresses.map((address) => address.join('.')).join();
    if (text === this.#known) return;
    this.#known = text;
    this.#policy.setOwnAddresses(addresses);
  }
}
