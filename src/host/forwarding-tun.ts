import type { PacketBatch } from '../core/packets/packet-batch.js';
import type { Tun } from './tun.js';

/** Passes every call on to another TUN: the base of TUNs that change one thing. */
export class ForwardingTun implements Tun {
  readonly #inner: Tun;

  constructor(inner: Tun) {
    this.#inner = inner;
  }

  get name(): string {
    return this.#inner.name;
  }

  get mtu(): number {
    return this.#inner.mtu;
  }

  get isUp(): boolean {
    return this.#inner.isUp;
  }

  set onReadable(listener: () => void) {
    this.#inner.onReadable = listener;
  }

  set onChange(listener: () => void) {
    this.#inner.onChange = listener;
  }

  set onRemoved(listener: () => void) {
    this.#inner.onRemoved = listener;
  }

  read(batch: PacketBatch): number {
    return this.#inner.read(batch);
  }

  write(batch: PacketBatch): void {
    this.#inner.write(batch);
  }

  setReading(isReading: boolean): void {
    this.#inner.setReading(isReading);
  }

  nextDeadline(): number {
    return this.#inner.nextDeadline?.() ?? Infinity;
  }

  runDue(nowMs: number): void {
    this.#inner.runDue?.(nowMs);
  }

  close(): void {
    this.#inner.close();
  }
}
