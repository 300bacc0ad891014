import { copyEndpoint, ENDPOINT_WORDS } from '../../wire/endpoint.js';
import { HANDSHAKE_INITIATION_BYTES } from '../../wire/messages.js';
import { HANDSHAKE_QUEUE_LENGTH, UNDER_LOAD_LENGTH, UNDER_LOAD_STICKY_MS } from '../constants.js';

/**
 * Handshake messages that wait to be looked at, oldest first, with the address that each came from.
 *
 * It keeps data flowing while handshakes pour in: the device takes a few messages out per turn. When it is
 * full the newest is dropped. How much waits decides whether the device is under load.
 *
 * Source: whitepaper §5.3 (denial of service, cookies).
 */
export class HandshakeQueue {
  #bytes = NOTHING;
  #endpoints = NO_WORDS;
  readonly #lengths = new Uint8Array(HANDSHAKE_QUEUE_LENGTH);
  #first = 0;
  #count = 0;
  #loadedUntilMs = -Infinity;

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === HANDSHAKE_QUEUE_LENGTH;
  }

  /**
   * Copies a message of at most HANDSHAKE_INITIATION_BYTES.
   *
   * @param endpointAt In words.
   * @returns `false` if the queue is full.
   */
  push(
    bytes: Uint8Array,
    at: number,
    lengthBytes: number,
    endpointWords: Int32Array,
    endpointAt: number,
    nowMs: number,
  ): boolean {
    if (this.#count + 1 >= UNDER_LOAD_LENGTH) this.#loadedUntilMs = nowMs + UNDER_LOAD_STICKY_MS;
    if (this.isFull) return false;
    if (this.#bytes === NOTHING) this.#allocate();

    const slot = (this.#first + this.#count) % HANDSHAKE_QUEUE_LENGTH;
    const to = slot * HANDSHAKE_INITIATION_BYTES;
    for (let i = 0; i < lengthBytes; i++) this.#bytes[to + i] = bytes[at + i];
    this.#lengths[slot] = lengthBytes;
    copyEndpoint(endpointWords, endpointAt, this.#endpoints, slot * ENDPOINT_WORDS);
    this.#count++;
    return true;
  }

  /** §5.3: handshakes cost more than this device can spend, or did within the last second. */
  isUnderLoad(nowMs: number): boolean {
    return nowMs < this.#loadedUntilMs;
  }

  /**
   * Takes the oldest message out.
   *
   * @param endpoint Receives its endpoint record.
   * @returns A view that is good until the next `push`; `undefined` when nothing waits.
   */
  shift(endpoint: Int32Array): Uint8Array | undefined {
    if (this.#count === 0) return undefined;
    const slot = this.#first;
    this.#first = (slot + 1) % HANDSHAKE_QUEUE_LENGTH;
    this.#count--;
    copyEndpoint(this.#endpoints, slot * ENDPOINT_WORDS, endpoint, 0);
    const at = slot * HANDSHAKE_INITIATION_BYTES;
    return this.#bytes.subarray(at, at + this.#lengths[slot]);
  }

  clear(): void {
    this.#count = 0;
    this.#loadedUntilMs = -Infinity;
  }

  /** Most devices see a handshake every two minutes, so the memory is taken with the first. */
  #allocate(): void {
    this.#bytes = new Uint8Array(HANDSHAKE_QUEUE_LENGTH * HANDSHAKE_INITIATION_BYTES);
    this.#endpoints = new Int32Array(HANDSHAKE_QUEUE_LENGTH * ENDPOINT_WORDS);
  }
}

const NOTHING = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);
