import { AllowedIps } from '../core/routing/allowed-ips.js';
import { IPV4_DESTINATION_AT, IPV4_SOURCE_AT, IPV6_DESTINATION_AT, IPV6_SOURCE_AT } from '../wire/ip-header.js';
import type { InnerAddress } from './places.js';
import { hostPrefix } from './prefix.js';

/** More than the flows that are remembered: forgetting costs a decision for each of them. */
const MAX_ADDRESSES = 65_536;

/** The addresses beyond the gateway that devices talk to, by number: what a flow is remembered by. */
export class OutsideAddresses {
  #table = new AllowedIps<InnerAddress>();
  #count = 0;
  /** Negative, so that none is the number of an address inside. Never given twice. */
  #nextNumber = -1;

  /** Finds the source or destination of the packet at `at`. @returns `undefined`: no device has written there. */
  find(bytes: Uint8Array, at: number, isDestination: boolean): InnerAddress | undefined {
    const start = startOf(bytes, at, isDestination);
    return isVersion4(bytes, at) ? this.#table.lookup4(bytes, start) : this.#table.lookup6(bytes, start);
  }

  /** Finds the destination of the packet at `at`, or takes it up. */
  destination(bytes: Uint8Array, at: number): InnerAddress {
    const found = this.find(bytes, at, true);
    if (found !== undefined) return found;
    if (this.#count >= MAX_ADDRESSES) this.#forgetAll();
    const start = startOf(bytes, at, true);
    const made: InnerAddress = { number: this.#nextNumber-- };
    this.#table.insert(hostPrefix(bytes.slice(start, start + (isVersion4(bytes, at) ? 4 : 16))), made);
    this.#count++;
    return made;
  }

  #forgetAll(): void {
    this.#table = new AllowedIps<InnerAddress>();
    this.#count = 0;
  }
}

function isVersion4(bytes: Uint8Array, at: number): boolean {
  return bytes[at]! >> 4 === 4;
}

function startOf(bytes: Uint8Array, at: number, isDestination: boolean): number {
  if (isVersion4(bytes, at)) return at + (isDestination ? IPV4_DESTINATION_AT : IPV4_SOURCE_AT);
  return at + (isDestination ? IPV6_DESTINATION_AT : IPV6_SOURCE_AT);
}
