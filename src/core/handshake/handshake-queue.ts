import { HANDSHAKE_QUEUE_LENGTH, PROVEN_QUEUE_LENGTH, UNDER_LOAD_LENGTH, UNDER_LOAD_STICKY_MS } from '../constants.js';
import { MessageRing } from './message-ring.js';

/**
 * Handshake messages that passed `HandshakeDoor` and wait to be answered.
 *
 * The queue keeps data flowing while handshakes pour in: the device answers a few messages per turn. The number of
 * waiting messages decides whether the device is under load. Then messages whose sender has proven its address by
 * MAC2 wait in a separate queue, so that a flood from spoofed addresses cannot displace them.
 *
 * Source: whitepaper §5.3 (denial of service, cookies).
 */
export class HandshakeQueue {
  readonly #waiting = new MessageRing(HANDSHAKE_QUEUE_LENGTH);
  readonly #proven = new MessageRing(PROVEN_QUEUE_LENGTH);
  #loadedUntilMs = -Infinity;

  get count(): number {
    return this.#waiting.count + this.#proven.count;
  }

  get provenCount(): number {
    return this.#proven.count;
  }

  get isFull(): boolean {
    return this.#waiting.isFull;
  }

  /**
   * Copies a handshake message.
   *
   * @param endpointAt The start of the record, in words.
   * @returns `false` if the queue is full.
   */
  push(message: Uint8Array, endpointWords: Int32Array, endpointAt: number, nowMs: number): boolean {
    if (this.#waiting.count + 1 >= UNDER_LOAD_LENGTH) this.#loadedUntilMs = nowMs + UNDER_LOAD_STICKY_MS;
    return this.#waiting.push(message, endpointWords, endpointAt);
  }

  /** Copies a handshake message whose MAC1 and MAC2 are right, and whose sender is within the rate limit. */
  pushProven(message: Uint8Array, endpointWords: Int32Array, endpointAt: number): boolean {
    return this.#proven.push(message, endpointWords, endpointAt);
  }

  /** §5.3: whether handshakes exceed the budget of this device, or did within the last second. */
  isUnderLoad(nowMs: number): boolean {
    return nowMs < this.#loadedUntilMs || this.#waiting.count >= UNDER_LOAD_LENGTH;
  }

  /**
   * Removes the oldest message.
   *
   * @param endpoint Receives its endpoint record.
   * @returns A view that is valid until the next `push`; `undefined` when nothing waits.
   */
  shift(endpoint: Int32Array): Uint8Array | undefined {
    return this.#waiting.shift(endpoint);
  }

  /** Removes the oldest proven message, like `shift`. */
  shiftProven(endpoint: Int32Array): Uint8Array | undefined {
    return this.#proven.shift(endpoint);
  }

  clear(): void {
    this.#proven.clear();
    this.#waiting.clear();
    this.#loadedUntilMs = -Infinity;
  }
}
