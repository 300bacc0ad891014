import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { Netstack } from '../netstack/netstack.js';
import type { Clock } from './clock.js';
import type { Tun } from './tun.js';

/**
 * A TUN whose other side is a TCP/IP stack in this process.
 *
 * The stack shares the loop's timer and its turns: what comes in is answered by the same turn that brought it.
 */
export class NetstackTun implements Tun {
  onReadable: () => void = nothing;
  onChange: () => void = nothing;
  onRemoved: () => void = nothing;
  /** Called after the stack took packets or did what was due: the owner drains its events, in a turn of its own. */
  onWork: () => void = nothing;

  readonly name: string;
  readonly isUp = true;
  readonly #stack: Netstack;
  readonly #clock: Clock;
  #isReading = true;
  #isAnnounced = false;
  #isClosed = false;

  constructor(name: string, stack: Netstack, clock: Clock) {
    this.name = name;
    this.#stack = stack;
    this.#clock = clock;
  }

  get mtu(): number {
    return this.#stack.mtu;
  }

  read(batch: PacketBatch): number {
    if (this.#isClosed || !this.#isReading) {
      batch.clear();
      return 0;
    }
    const count = this.#stack.read(batch, this.#clock.nowMs());
    // The loop takes so much in a turn and no more: the rest is announced, as a TUN of the system would do.
    if (count > 0 && this.#stack.hasOutput) this.wake();
    return count;
  }

  write(batch: PacketBatch): void {
    if (this.#isClosed) return;
    this.#stack.write(batch, this.#clock.nowMs());
    this.onWork();
  }

  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    if (isReading && this.#stack.hasOutput) this.wake();
  }

  nextDeadline(): number {
    return this.#stack.nextDeadline();
  }

  runDue(nowMs: number): void {
    this.#stack.runDue(nowMs);
    this.onWork();
  }

  /** Has the loop read what the program wrote, once for all sockets of the system that had news in this turn of the event loop. */
  wake(): void {
    if (this.#isAnnounced || this.#isClosed) return;
    this.#isAnnounced = true;
    this.#clock.callSoon(() => {
      this.#isAnnounced = false;
      if (this.#isReading && !this.#isClosed) this.onReadable();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.onReadable = nothing;
    this.onWork = nothing;
  }
}

function nothing(): void {}
