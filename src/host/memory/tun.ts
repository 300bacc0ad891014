import type { PacketBatch } from '../../core/packets/packet-batch.js';
import { Verdict } from '../../core/packets/verdict.js';
import type { Tun } from '../tun.js';

/** A TUN whose other side is the program: `inject` adds packets, and `onPacket` receives them. */
export class MemoryTun implements Tun {
  onReadable: () => void = () => {};
  onChange: () => void = () => {};
  onRemoved: () => void = () => {};
  /** Called with a copy of each packet that the device writes. */
  onPacket: (packet: Uint8Array) => void = () => {};

  readonly name: string;
  #mtu: number;
  #isUp = true;
  readonly #queue: Uint8Array[] = [];
  #isAnnounced = false;
  #isClosed = false;
  #isReading = true;
  readonly #callSoon: (callback: () => void) => void;

  /** @param callSoon Calls back in a separate turn. Default: a microtask. */
  constructor(name = 'memory', mtu = 1_420, callSoon: (callback: () => void) => void = queueMicrotask) {
    this.name = name;
    this.#mtu = mtu;
    this.#callSoon = callSoon;
  }

  get mtu(): number {
    return this.#mtu;
  }

  set mtu(mtu: number) {
    this.#mtu = mtu;
    this.onChange();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  set isUp(isUp: boolean) {
    this.#isUp = isUp;
    this.onChange();
  }

  /** Hands a packet to the device's side. The bytes are copied. */
  inject(packet: Uint8Array): void {
    if (this.#isClosed) return;
    this.#queue.push(packet.slice());
    this.#announce();
  }

  /** Removes the interface, as `ip link delete` does. */
  remove(): void {
    this.#queue.length = 0;
    this.#isClosed = true;
    this.onRemoved();
  }

  read(batch: PacketBatch): number {
    batch.clear();
    let packet = this.#queue[0];
    while (packet !== undefined) {
      const row = batch.appendRow(packet.length);
      if (row < 0 && batch.count > 0) break;
      if (row >= 0) batch.bytes.set(packet, batch.offset[row]!); // else longer than the arena, and lost
      this.#queue.shift();
      packet = this.#queue[0];
    }
    if (packet !== undefined) this.#announce();
    return batch.count;
  }

  write(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const start = batch.offset[row]!;
      const length = batch.length[row]!;
      if (batch.verdict[row] === Verdict.Pass && length > 0) this.onPacket(batch.bytes.slice(start, start + length));
    }
  }

  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    if (isReading && this.#queue.length > 0) this.#announce();
  }

  close(): void {
    this.#queue.length = 0;
    this.#isClosed = true;
    this.onReadable = () => {};
  }

  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#callSoon(() => {
      this.#isAnnounced = false;
      if (this.#isReading && this.#queue.length > 0) this.onReadable();
    });
  }
}
