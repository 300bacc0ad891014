import type { Addon } from '../../addon/interface.js';
import { Errno, errnoName } from '../../host/errno.js';

const MAX_DATAGRAMS = 128;
const MAX_BYTES = 128 * 1024;

/** One datagram's target, and whom to tell that it could not be sent. */
export interface Target {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly onError: (code?: string) => void;
}

/**
 * Datagrams of one turn of the event loop to one target, which leave by one call of the system.
 *
 * The memory is shared by all bursts, since each is sent before the next one begins.
 */
export class Burst {
  readonly #addon: Addon;
  readonly #bytes = new Uint8Array(MAX_BYTES);
  readonly #lengths = new Uint16Array(MAX_DATAGRAMS);
  #descriptor = -1;
  #target: Target | undefined;
  #count = 0;
  #used = 0;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  /** Adds a datagram; it leaves with the end of this turn, or before one that has another way. */
  add(descriptor: number, target: Target, data: Uint8Array): void {
    if (this.#target !== undefined && !this.#isSameWay(descriptor, target)) this.flush();
    if (this.#count === MAX_DATAGRAMS || this.#used + data.length > MAX_BYTES) this.flush();
    if (this.#count === 0) queueMicrotask(() => this.flush());
    this.#descriptor = descriptor;
    this.#target = target;
    this.#bytes.set(data, this.#used);
    this.#lengths[this.#count++] = data.length;
    this.#used += data.length;
  }

  /** Sends what waits. A full buffer of the system drops the rest, as it does for any datagram. */
  flush(): void {
    const target = this.#target;
    if (target === undefined) return;
    this.#target = undefined;
    let result = this.#send(target);
    if (result === -Errno.ECONNREFUSED) {
      target.onError('ECONNREFUSED'); // about an earlier datagram: these have not left
      result = this.#send(target);
    }
    this.#count = 0;
    this.#used = 0;
    if (result < 0 && result !== -Errno.EAGAIN) target.onError(errnoName(-result));
  }

  #send({ address, port }: Target): number {
    return this.#addon.datagramsSend(this.#descriptor, this.#bytes, this.#lengths, this.#count, address, port);
  }

  #isSameWay(descriptor: number, { address, port }: Target): boolean {
    const { address: other, port: otherPort } = this.#target!;
    return (
      descriptor === this.#descriptor &&
      port === otherPort &&
      address.length === other.length &&
      address.every((byte, i) => byte === other[i])
    );
  }
}
