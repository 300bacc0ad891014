import { copyEndpoint, ENDPOINT_WORDS } from '../../wire/endpoint.js';
import { HANDSHAKE_INITIATION_BYTES } from '../../wire/messages.js';

/** Handshake messages in the order of their arrival, each with its source address. Drops the newest when full. */
export class MessageRing {
  readonly #capacity: number;
  readonly #lengths: Uint8Array;
  #bytes = NOTHING;
  #endpoints = NO_WORDS;
  #first = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#lengths = new Uint8Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /**
   * Copies a message of at most HANDSHAKE_INITIATION_BYTES.
   *
   * @param endpointAt The start of the record, in words.
   * @returns `false` if the ring is full.
   */
  push(message: Uint8Array, endpointWords: Int32Array, endpointAt: number): boolean {
    if (this.isFull) return false;
    if (this.#bytes === NOTHING) this.#allocate();

    const slot = (this.#first + this.#count) % this.#capacity;
    this.#bytes.set(message, slot * HANDSHAKE_INITIATION_BYTES);
    this.#lengths[slot] = message.length;
    copyEndpoint(endpointWords, endpointAt, this.#endpoints, slot * ENDPOINT_WORDS);
    this.#count++;
    return true;
  }

  /**
   * Removes the oldest message.
   *
   * @param endpoint Receives its endpoint record.
   * @returns A view that is valid until the next `push`; `undefined` when the ring is empty.
   */
  shift(endpoint: Int32Array): Uint8Array | undefined {
    if (this.#count === 0) return undefined;
    const slot = this.#first;
    this.#first = (slot + 1) % this.#capacity;
    this.#count--;
    copyEndpoint(this.#endpoints, slot * ENDPOINT_WORDS, endpoint, 0);
    const at = slot * HANDSHAKE_INITIATION_BYTES;
    return this.#bytes.subarray(at, at + this.#lengths[slot]);
  }

  clear(): void {
    this.#count = 0;
  }

  /** Memory is allocated lazily: most devices see a handshake every two minutes. */
  #allocate(): void {
    this.#bytes = new Uint8Array(this.#capacity * HANDSHAKE_INITIATION_BYTES);
    this.#endpoints = new Int32Array(this.#capacity * ENDPOINT_WORDS);
  }
}

const NOTHING = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);
